package pare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"pare/cost"
	"pare/internal/atomicfile"
	"pare/internal/fault"
	"pare/onnx"
)

// SaveOptions say how a model is written.
type SaveOptions = onnx.SaveOptions

// Save writes the model. The file appears whole or not at all. Its description
// comes from reading the written file back.
func (m *Model) Save(path string, o SaveOptions) (*Info, error) {
	if err := onnx.Save(path, m.ir, o); err != nil {
		return nil, named(path, err)
	}
	written, err := Load(path)
	if err != nil {
		return nil, fmt.Errorf("the written file cannot be read back: %w", err)
	}
	defer written.Close()
	if m.costs == nil {
		return written.Info(context.Background())
	}
	info, err := written.infoWith(context.Background(), cost.Quick)
	if err == nil {
		info.counted(*m.costs)
	}
	return info, err
}

// CheckOutput reports, before any work is done, that a file cannot be written:
// it is one of the inputs, a folder, or its folder is missing or read-only.
func CheckOutput(path string, inputs ...string) error {
	if st, err := os.Stat(path); err == nil {
		if st.IsDir() {
			return fault.Hint(fault.AtFile(path, errors.New("is a folder")), "name the file to write, such as %s", filepath.Join(path, "small.onnx"))
		}
		if err := atomicfile.Replaceable(path); err != nil {
			return fault.Hint(fault.AtFile(path, err), "name a file to write")
		}
		for _, in := range inputs {
			if other, err := os.Stat(in); err == nil && os.SameFile(st, other) {
				return fault.Hint(fault.AtFile(path, errors.New("output and input are the same file")), "write to another file; the input stays what results are compared with")
			}
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fault.AtFile(path, fmt.Errorf("cannot be written: %w", reason(err)))
	}
	f.Close()
	return os.Remove(f.Name())
}

// reason drops the name of the temporary file from an error.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
