package pare

import (
	"pare/cost"
	"pare/internal/fault"
	"pare/ir"
	"pare/onnx"
)

// Version is written into compressed models.
const Version = "0.1.0"

// Model is a network in memory. It may be read by several goroutines, but not
// while Compress changes it.
type Model struct {
	ir    *ir.Model
	path  string
	file  *onnx.File   // nil for models that no file backs
	costs *cost.Totals // of the network that Compress made, nil without
}

// Load opens an ONNX file. Weights stay in the mapped file until they are
// changed; Close releases it.
func Load(path string) (*Model, error) {
	f, err := onnx.Open(path)
	if err != nil {
		return nil, named(path, err)
	}
	return &Model{ir: f.Model, path: path, file: f}, nil
}

// named adds the file to an error that does not name one yet.
func named(path string, err error) error {
	if file, _, _ := fault.Describe(err); file != "" {
		return err
	}
	return fault.AtFile(path, err)
}

// Decode reads an ONNX model from memory; the model borrows data. External data
// are refused.
func Decode(data []byte) (*Model, error) {
	m, err := onnx.Decode(data, "")
	if err != nil {
		return nil, err
	}
	return New(m), nil
}

// New makes a model of a graph that was built in memory.
func New(m *ir.Model) *Model { return &Model{ir: m} }

// Path is the file that the model was loaded from, "" for none.
func (m *Model) Path() string { return m.path }

// IR is the network itself.
func (m *Model) IR() *ir.Model { return m.ir }

// Clone returns a copy that can be compressed on its own. It shares the
// weights, and with them the file, which must stay open.
func (m *Model) Clone() *Model {
	c := *m
	c.ir = ir.CloneModel(m.ir)
	return &c
}

// Close releases the file behind the model, which must not be used any more.
func (m *Model) Close() error {
	if m.file == nil {
		return nil
	}
	f := m.file
	m.file = nil
	return f.Close()
}
