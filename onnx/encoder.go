package onnx

import (
	"errors"
	"fmt"
	"io"
	"math"

	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

// maxFile is the largest model file: protobuf readers refuse longer ones.
const maxFile = math.MaxInt32

var errTooLong = errors.New("the model file would be longer than 2 GB")

// encoder is what writers of one model share.
type encoder struct {
	data *layout // of the data file; nil where all goes into the model file
	err  error   // the first thing that cannot be written
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// check reports opaque fields that are damaged. They may come from elsewhere
// than a file, and must not damage the one that is written.
func (e *encoder) check(extra []byte) {
	if err := fields(extra, func(field) error { return nil }); err != nil {
		e.fail(fmt.Errorf("opaque fields: %w", err))
	}
}

// rest writes what is kept of a message.
func (e *encoder) rest(m *message, extra []byte) {
	e.check(extra)
	m.put(extra)
}

// encode makes the ModelProto of m, at most limit bytes long.
func encode(m *ir.Model, data *layout, limit int64) (*message, error) {
	e := &encoder{data: data}
	out := e.model(m)
	if e.err != nil {
		return nil, e.err
	}
	if out.size > limit {
		return nil, errTooLong
	}
	return out, nil
}

// Encode writes m as one file without external data. Equal models give equal
// bytes; constants are written from where they are. A model beyond 2 GB is
// refused before anything is written.
func Encode(w io.Writer, m *ir.Model) error {
	out, err := encode(m, nil, maxFile)
	if err != nil {
		return fault.Hint(err, "save it to a file with external data")
	}
	_, err = out.WriteTo(w)
	return err
}

// EncodeTensor returns a TensorProto, the content of a .pb file.
func EncodeTensor(name string, t *tensor.Tensor) []byte {
	return (&encoder{}).writeTensor(name, "", t, nil).flat()
}
