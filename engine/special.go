package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// maxSpecial is how many specialisations a program remembers.
const maxSpecial = 8

// maxArena bounds the memory for the values of one run.
const maxArena = 64 << 30

// special is a program for one set of input shapes.
type special struct {
	key    string
	model  *ir.Model // with the types of this specialisation
	steps  []*step
	inputs []source
	ext    int    // memory that belongs to operands of the run
	boxes  int    // values outside the arena
	out    []sink // in the order of Program.wanted
	arena  int    // floats
	work   int    // floats of scratch of one thread
}

// source says where a given input goes: to an external buffer, to a box, or
// both.
type source struct {
	name string
	ext  int // -1: none
	box  int // -1: none
}

// specialise returns the program for the given inputs.
func (p *Program) specialise(ctx context.Context, in map[string]op.Val) (*special, error) {
	key := keyOf(p.inputs, in)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, s := range p.special {
		if s.key == key {
			p.special = append(slices.Delete(p.special, i, i+1), s)
			return s, nil
		}
	}
	s, err := p.build(ctx, in)
	if err != nil {
		return nil, err
	}
	s.key = key
	if len(p.special) == maxSpecial {
		p.special = slices.Delete(p.special, 0, 1)
	}
	p.special = append(p.special, s)
	return s, nil
}

// keyOf is what a specialisation depends on.
func keyOf(inputs []*ir.Value, in map[string]op.Val) string {
	var s strings.Builder
	for _, v := range inputs {
		switch x := in[v.Name].(type) {
		case *tensor.Tensor:
			fmt.Fprintf(&s, "%d%v", x.Type, x.Shape)
		case nil:
			s.WriteByte('-')
		default:
			fmt.Fprint(&s, op.TypeOfVal(x))
		}
	}
	return s.String()
}

// build specialises for the types of the inputs.
func (p *Program) build(ctx context.Context, in map[string]op.Val) (*special, error) {
	m := p.base
	for _, v := range p.inputs {
		if v.Const != nil && in[v.Name] != nil {
			m = p.raw // a default is replaced, which others may have been folded from
		}
	}
	m = ir.CloneModel(m)
	fixInputs(m.Graph, in)
	var inf *op.Inference
	if !p.o.Reference {
		var err error
		if _, err = op.InferWith(m, op.InferOptions{Redo: true}); err != nil {
			return nil, err
		}
		if m, err = prepare(ctx, m, p.codes, p.turned); err != nil {
			return nil, err
		}
		if inf, err = op.InferWith(m, op.InferOptions{Redo: true}); err != nil {
			return nil, err
		}
	}
	b := newBuilder(p, m, inf)
	if err := b.graph(ctx); err != nil {
		return nil, err
	}
	if err := b.pack(); err != nil {
		return nil, err
	}
	s := b.finish()
	if bytes := 4 * (s.arena + p.o.Threads*s.work); bytes > maxArena {
		return nil, fmt.Errorf("%w: a run needs %d MB of memory for values; use a smaller batch", op.ErrTooLarge, bytes>>20)
	}
	return s, nil
}

// fixInputs gives inputs the types of what is given.
func fixInputs(g *ir.Graph, in map[string]op.Val) {
	kept := g.Inputs[:0:0]
	for _, v := range g.Inputs {
		x := in[v.Name]
		if x == nil {
			continue // it has a default
		}
		if v.Const != nil {
			v.Const, v.Sparse = nil, nil
			g.Consts = slices.DeleteFunc(slices.Clone(g.Consts), func(c *ir.Value) bool { return c == v })
		}
		v.Type = op.TypeOfVal(x)
		kept = append(kept, v)
	}
	g.Inputs = kept
}
