package onnx

import (
	"errors"
	"io"
	"path/filepath"
	"strings"

	"pare/internal/atomicfile"
	"pare/internal/fault"
	"pare/ir"
	"pare/op"
)

// leastExternal is the size of the constants that leave a model file which
// would be too long.
const leastExternal = 1024

// SaveOptions are the choices in writing a model.
type SaveOptions struct {
	// External is the number of bytes from which on a constant goes to a file
	// of data beside the model, called like it with the ending .data. 0 writes
	// such a file only when the model file would pass 2 GB.
	External int64
	// Inline expands the functions that the model defines.
	Inline bool
}

// Save writes m to path, whole or not at all, the data file included. Equal
// models give equal bytes. m is not changed, and may borrow the very file that is
// replaced.
func Save(path string, m *ir.Model, o SaveOptions) error {
	return fault.AtFile(path, save(path, m, o, maxFile))
}

func save(path string, m *ir.Model, o SaveOptions, limit int64) error {
	if o.Inline {
		m = ir.CloneModel(m)
		if err := op.Inline(m); err != nil {
			return err
		}
	}
	var data *layout
	if o.External > 0 {
		data = dataFile(path, o.External)
	}
	out, err := encode(m, data, limit)
	for _, attrs := range []bool{false, true} {
		if errors.Is(err, errTooLong) {
			data = dataFile(path, leastExternal)
			data.attrs = attrs
			out, err = encode(m, data, limit)
		}
	}
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		if _, err := out.WriteTo(w); err != nil || data == nil || len(data.parts) == 0 {
			return err
		}
		// The data appear before the model that needs them.
		return atomicfile.Write(filepath.Join(filepath.Dir(path), data.name), data.write)
	})
}

func dataFile(path string, least int64) *layout {
	base := filepath.Base(path)
	return &layout{name: strings.TrimSuffix(base, filepath.Ext(base)) + ".data", least: least}
}
