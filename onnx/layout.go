package onnx

import (
	"io"
	"strconv"

	"pare/ir"
	"pare/tensor"
)

const (
	// dataAlign and pageAlign are the multiples at which tensors and large tensors
	// begin in a data file, so that they can be mapped and read in place.
	dataAlign = 64
	pageAlign = 4096
	largeData = 1 << 20
)

// layout is the content of a data file.
type layout struct {
	name  string // within the model's folder
	least int64  // bytes from which on a tensor goes there
	attrs bool   // whether tensors in attributes do, too: not all readers expect it
	size  int64
	parts []placed
}

type placed struct {
	offset int64
	data   []byte
}

// isExternal reports whether t, an initialiser or else in an attribute, goes to
// the data file.
func (e *encoder) isExternal(t *tensor.Tensor, initialiser bool) bool {
	return e.data != nil && (initialiser || e.data.attrs) && len(t.Bytes()) > 0 && int64(len(t.Bytes())) >= e.data.least
}

// external places data in the data file and says where.
func (e *encoder) external(data []byte) []ir.KV {
	l := e.data
	align := int64(dataAlign)
	if len(data) >= largeData {
		align = pageAlign
	}
	at := (l.size + align - 1) / align * align
	l.parts = append(l.parts, placed{at, data})
	l.size = at + int64(len(data))
	return []ir.KV{
		{Key: "location", Value: l.name},
		{Key: "offset", Value: strconv.FormatInt(at, 10)},
		{Key: "length", Value: strconv.Itoa(len(data))},
	}
}

// write writes the data file.
func (l *layout) write(w io.Writer) error {
	var at int64
	for _, p := range l.parts {
		if _, err := w.Write(make([]byte, p.offset-at)); err != nil {
			return err
		}
		if _, err := w.Write(p.data); err != nil {
			return err
		}
		at = p.offset + int64(len(p.data))
	}
	return nil
}
