package assets

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"pare/internal/atomicfile"
)

// weights lists the tensors of a data file in the order of their offsets.
type weights struct {
	File    string
	Bytes   int64
	Tensors []struct {
		Name   string
		Shape  []int
		Offset int64
		Fill   string  // "const" or "normal"
		Value  float64 // the constant, or the standard deviation
	}
}

// Fill puts the network called name, of those in the folder speed that come without
// weights, into dir with weights drawn as its list says, and returns the model's
// path. Its speed is that of a trained network.
func Fill(dir, name string) (string, error) {
	assets := filepath.Join(Dir(), "speed")
	model, err := os.ReadFile(filepath.Join(assets, name+".onnx"))
	if err != nil {
		return "", err
	}
	list, err := os.ReadFile(filepath.Join(assets, name+".json"))
	if err != nil {
		return "", err
	}
	var ws weights
	if err := json.Unmarshal(list, &ws); err != nil {
		return "", fmt.Errorf("%s.json: %w", name, err)
	}
	data := filepath.Join(dir, ws.File)
	if info, err := os.Stat(data); err != nil || info.Size() != ws.Bytes {
		if err := atomicfile.Write(data, ws.write); err != nil {
			return "", err
		}
	}
	path := filepath.Join(dir, name+".onnx")
	return path, os.WriteFile(path, model, 0o644)
}

func (ws weights) write(w io.Writer) error {
	r := rand.New(rand.NewPCG(7, uint64(ws.Bytes)))
	var at int64
	for _, t := range ws.Tensors {
		size := 4
		for _, d := range t.Shape {
			size *= d
		}
		raw := make([]byte, t.Offset-at, t.Offset-at+int64(size))
		for range size / 4 {
			v := t.Value
			if t.Fill == "normal" {
				v *= r.NormFloat64()
			}
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(v)))
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
		at = t.Offset + int64(size)
	}
	_, err := w.Write(make([]byte, ws.Bytes-at))
	return err
}
