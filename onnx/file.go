package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"

	"github.com/edsrzf/mmap-go"

	"pare/internal/fault"
	"pare/ir"
)

// File is an open model file. The model's tensors borrow the mapped file: they
// must not be used after Close, nor the file shortened before it.
type File struct {
	Model *ir.Model
	Path  string
	Bytes int64 // of the model file and its external data

	data mmap.MMap
	ext  *external
}

// Open maps a model file and its external data, which must lie in the same
// folder or below it. Errors name the file and the place in it.
func Open(path string) (*File, error) {
	f, err := open(path)
	if err != nil {
		return nil, fault.AtFile(path, err)
	}
	return f, nil
}

func open(path string) (*File, error) {
	// Opening a pipe or device could wait for ever.
	if info, err := os.Stat(path); err != nil {
		return nil, plain(err)
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	src, err := os.Open(path)
	if err != nil {
		return nil, plain(err)
	}
	defer src.Close()
	f := &File{Path: path, ext: &external{dir: filepath.Dir(path), mmap: true}}
	if f.data, err = mapFile(src); err != nil {
		return nil, plain(err)
	}
	if f.Model, err = decode(f.data, f.ext); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	f.Bytes = int64(len(f.data)) + f.ext.size()
	return f, nil
}

// plain drops the path from an error of package os; AtFile adds it.
func plain(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// Close releases the map.
func (f *File) Close() error {
	err := f.ext.close()
	if f.data != nil {
		err = errors.Join(err, f.data.Unmap())
	}
	return err
}

// maps lists the mapped files that are not empty.
func (f *File) maps() []mmap.MMap {
	var out []mmap.MMap
	for _, m := range append([]mmap.MMap{f.data}, f.ext.maps...) {
		if len(m) > 0 {
			out = append(out, m)
		}
	}
	return out
}

// SHA256 is the hash of the model file in hexadecimal, external data aside.
func (f *File) SHA256() (string, error) {
	sum := sha256.Sum256(f.data)
	return hex.EncodeToString(sum[:]), nil
}

// Decode reads a model from memory; its tensors borrow data. External data are
// read (not mapped) from files in the folder dir or below it; where dir is ""
// they are refused.
func Decode(data []byte, dir string) (*ir.Model, error) {
	if dir == "" {
		return decode(data, nil)
	}
	return decode(data, &external{dir: dir})
}

func decode(data []byte, ext *external) (*ir.Model, error) {
	if len(data) == 0 {
		return nil, errors.New("the file is empty: this is no ONNX model")
	}
	return newDecoder(len(data), ext).model(data)
}
