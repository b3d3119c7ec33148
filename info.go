package pare

import (
	"pare/compress"
	"pare/ir"
	"pare/op"
)

// Info describes a model and the file behind it.
type Info struct {
	Path   string `json:"path,omitempty"`
	Bytes  int64  `json:"bytes"` // of the file and its external data; of the weights without a file
	SHA256 string `json:"sha256,omitempty"`
	Opset  int    `json:"opset"`
	Params int    `json:"params"`
	MACs   int64  `json:"macs"` // multiply-accumulates of one sample, as far as sizes are known
}

// Info sums the model up. It hashes the file.
func (m *Model) Info() (*Info, error) {
	inferred := ir.CloneModel(m.ir)
	if _, err := op.Infer(inferred); err != nil {
		return nil, named(m.path, err)
	}
	return m.info(inferred)
}

// info is Info of a model whose types are inferred already.
func (m *Model) info(inferred *ir.Model) (*Info, error) {
	size := compress.SizeOf(m.ir)
	out := &Info{Path: m.path, Bytes: size.Bytes, Opset: m.ir.Opset(""), Params: size.Params}
	for _, n := range inferred.Graph.Nodes {
		macs, _ := op.MACs(n)
		out.MACs += macs
	}
	if m.file == nil {
		return out, nil
	}
	out.Bytes = m.file.Bytes
	var err error
	out.SHA256, err = m.file.SHA256()
	return out, named(m.path, err)
}
