package onnx

import "fmt"

const (
	// maxNesting bounds how deep graphs and types may be nested.
	maxNesting = 64
	// maxRank bounds the number of dimensions.
	maxRank = 1024
	// maxDense bounds the bytes that all tensors in coordinate form of a model
	// expand to: the larger of this and densePerByte times the file.
	maxDense     = 64 << 20
	densePerByte = 64
	// maxRead bounds the external data that are read rather than mapped.
	maxRead = 4 << 30
)

// decoder is what readers of one file share.
type decoder struct {
	ext   *external // nil where external data are refused
	depth int
	dense int64 // bytes that sparse tensors may still expand to
}

func newDecoder(size int, ext *external) *decoder {
	return &decoder{ext: ext, dense: max(maxDense, densePerByte*int64(size))}
}

func (d *decoder) deeper() error {
	if d.depth++; d.depth > maxNesting {
		return fmt.Errorf("nested more than %d deep", maxNesting)
	}
	return nil
}

func (d *decoder) back() { d.depth-- }
