package onnx

import (
	"errors"
	"fmt"

	"pare/ir"
)

// modelProto is what a ModelProto holds besides fields of ir.Model.
type modelProto struct {
	graph             []byte
	functions, opsets [][]byte
}

// field reads a field of a ModelProto.
func (p *modelProto) field(m *ir.Model, f field) error {
	switch f.num {
	case 1:
		return f.int(&m.IRVersion)
	case 2:
		return f.text(&m.Producer)
	case 3:
		return f.text(&m.ProducerVersion)
	case 4:
		return f.text(&m.Domain)
	case 5:
		return f.int(&m.Version)
	case 6:
		return f.text(&m.Doc)
	case 7:
		return f.msg(&p.graph)
	case 8:
		return f.msgs(&p.opsets)
	case 14:
		return f.pair(&m.Metadata, &m.Extra)
	case 25:
		return f.msgs(&p.functions)
	}
	return f.keep(&m.Extra)
}

// model reads a ModelProto.
func (d *decoder) model(b []byte) (*ir.Model, error) {
	m, p := &ir.Model{}, &modelProto{}
	if err := fields(b, func(f field) error { return p.field(m, f) }); err != nil {
		return nil, err
	}
	if p.graph == nil {
		return nil, errors.New("there is no graph: this is no ONNX model")
	}
	var err error
	if m.Opsets, err = readOpsets(p.opsets, &m.Extra); err != nil {
		return nil, err
	}
	if len(m.Opsets) == 0 && m.IRVersion < needsOpsets {
		m.Opsets = []ir.Opset{{Version: 1}} // files of the first versions imply it
	}
	for _, b := range p.functions {
		f, err := d.function(b)
		if err != nil {
			return nil, fmt.Errorf("function %q: %w", f.Name, err)
		}
		m.Functions = append(m.Functions, f)
	}
	if m.Graph, err = d.graph(p.graph, nil); err != nil {
		return nil, err
	}
	return m, settleModel(m)
}

// readOpsets reads OperatorSetIdProtos.
func readOpsets(list [][]byte, extra *[]byte) (out []ir.Opset, err error) {
	seen := map[string]bool{}
	var rests [][]byte
	for _, b := range list {
		var o ir.Opset
		var version int64
		var rest []byte
		err := fields(b, func(f field) error {
			switch f.num {
			case 1:
				return f.text(&o.Domain)
			case 2:
				return f.int(&version)
			}
			return f.keep(&rest)
		})
		if err != nil {
			return nil, fmt.Errorf("operator sets: %w", err)
		}
		if version < 1 || version > 1<<30 {
			return nil, fmt.Errorf("operator set %q has version %d", o.Domain, version)
		}
		if seen[ir.CanonicalDomain(o.Domain)] {
			return nil, fmt.Errorf("operator set %q is imported twice", o.Domain)
		}
		seen[ir.CanonicalDomain(o.Domain)] = true
		o.Version = int(version)
		out, rests = append(out, o), append(rests, rest)
	}
	embedAll(extra, 8, rests)
	return out, nil
}

// settleModel binds, sorts and checks the graphs of a model that was read.
func settleModel(m *ir.Model) error {
	seen := map[string]bool{}
	for _, f := range m.Functions {
		key := fmt.Sprintf("%q %q %q", ir.CanonicalDomain(f.Domain), f.Name, f.Overload)
		if seen[key] {
			return fmt.Errorf("function %q is defined twice", f.Name)
		}
		seen[key] = true
		if err := settle(f.Body); err != nil {
			return fmt.Errorf("function %q: %w", f.Name, err)
		}
	}
	return settle(m.Graph)
}

func settle(g *ir.Graph) error {
	g.Bind()
	if err := sortAll(g); err != nil {
		return err
	}
	return ir.Check(g)
}

func sortAll(g *ir.Graph) error {
	if err := g.Sort(); err != nil {
		return err
	}
	for _, n := range g.Nodes {
		for _, s := range n.Subgraphs() {
			if err := sortAll(s); err != nil {
				return fmt.Errorf("%v: %w", n, err)
			}
		}
	}
	return nil
}

// model makes a ModelProto.
func (e *encoder) model(m *ir.Model) *message {
	out := &message{}
	out.int(1, irVersion(m))
	out.textIf(2, m.Producer)
	out.textIf(3, m.ProducerVersion)
	out.textIf(4, m.Domain)
	out.intIf(5, m.Version)
	out.textIf(6, m.Doc)
	out.sub(7, e.graph(m.Graph))
	rest := e.writeOpsets(out, 8, m.Opsets, m.Extra)
	out.pairs(14, m.Metadata)
	for _, f := range m.Functions {
		out.sub(25, e.function(f))
	}
	out.put(rest)
	return out
}
