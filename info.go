package pare

import (
	"context"

	"pare/cost"
	"pare/ir"
	"pare/op"
	"pare/pass"
)

// Info describes a model and the file behind it.
type Info struct {
	Path   string `json:"path,omitempty"`
	Bytes  int64  `json:"bytes"` // of the file and its external data; of the weights without a file
	SHA256 string `json:"sha256,omitempty"`
	Opset  int    `json:"opset"`
	Params int    `json:"params"`
	MACs   int64  `json:"macs"` // multiply-accumulates of one sample, as far as sizes are known
	// Multiplications are those that are left when each distinct product is
	// computed once, additions those by weights other than 0.
	Multiplications int64 `json:"multiplications,omitempty"`
	Additions       int64 `json:"additions,omitempty"`
}

// Info sums the model up. It hashes the file.
func (m *Model) Info(ctx context.Context) (*Info, error) {
	return m.infoWith(ctx, cost.Of)
}

// infoWith is Info, counted by count.
func (m *Model) infoWith(ctx context.Context, count func(*ir.Model) *cost.Count) (*Info, error) {
	const shapes = 1 << 16 // weights need not be folded to be counted
	plain, _ := m.plain(ctx, shapes)
	return m.info(count(plain))
}

// counted takes what a network of as many multiply-accumulates computes.
func (i *Info) counted(t cost.Totals) {
	if t.MACs == i.MACs {
		i.Multiplications, i.Additions = t.Multiplications, t.Additions
	}
}

// plain is a copy of the model, simplified and with types inferred so that sizes
// are known; constants of more than most bytes are not folded, 0 for no limit. On
// error it is as far as that went.
func (m *Model) plain(ctx context.Context, most int64) (*ir.Model, error) {
	c := ir.CloneModel(m.ir)
	if _, err := pass.SimplifyWith(ctx, c, pass.Options{Most: most}); err != nil {
		c = ir.CloneModel(m.ir)
		_, err = op.Infer(c)
		return c, err
	}
	return c, nil
}

// info is Info of a model of which it is known what it computes.
func (m *Model) info(c *cost.Count) (*Info, error) {
	out := &Info{Path: m.path, Opset: m.ir.Opset(""), MACs: c.MACs, Multiplications: c.Multiplications, Additions: c.Additions}
	out.Params, out.Bytes = cost.Stored(m.ir)
	if m.file == nil {
		return out, nil
	}
	out.Bytes = m.file.Bytes
	var err error
	out.SHA256, err = m.file.SHA256()
	return out, named(m.path, err)
}
