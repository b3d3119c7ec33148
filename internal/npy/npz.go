package npy

import (
	"archive/zip"
	"fmt"
	"os"
	"strings"

	"pare/tensor"
)

// Array is one named array of an .npz file.
type Array struct {
	Name   string
	Tensor *tensor.Tensor
}

// ReadFile reads the array of an .npy file.
func ReadFile(path string) (*tensor.Tensor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// ReadZip reads every array of an .npz file, in the file's order.
func ReadZip(path string) ([]Array, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer z.Close()
	var out []Array
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		t, err := Read(r)
		r.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		out = append(out, Array{strings.TrimSuffix(f.Name, ".npy"), t})
	}
	return out, nil
}
