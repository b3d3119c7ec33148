package prune

import (
	"context"
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// frontier runs a network on samples piece by piece, while its weights change: what
// has been computed and is still read is kept, the rest runs when it is asked for.
type frontier struct {
	m    *ir.Model
	smp  *samples
	done map[*ir.Node]bool
	kept map[*ir.Value][]*tensor.Tensor // by batch
}

func newFrontier(m *ir.Model, smp *samples) *frontier {
	f := &frontier{m: m, smp: smp, done: map[*ir.Node]bool{}, kept: map[*ir.Value][]*tensor.Tensor{}}
	for _, v := range m.Graph.Inputs {
		for _, in := range smp.batches {
			if t := in[v.Name]; t != nil {
				f.kept[v] = append(f.kept[v], t)
			}
		}
	}
	return f
}

// reach computes v with everything that it needs and is not computed yet, and returns
// it by batch. The result holds until the next call.
func (f *frontier) reach(ctx context.Context, v *ir.Value) ([]*tensor.Tensor, error) {
	need := map[*ir.Node]bool{}
	f.need(v, need)
	if len(need) > 0 {
		if err := f.advance(ctx, v, need); err != nil {
			return nil, err
		}
	}
	got := f.kept[v]
	if len(got) != len(f.smp.batches) {
		return nil, fmt.Errorf("value %q cannot be computed", v.Name)
	}
	return got, nil
}

// need collects the nodes to run for v.
func (f *frontier) need(v *ir.Value, nodes map[*ir.Node]bool) {
	n := v.Producer()
	if n == nil || f.done[n] || nodes[n] {
		return
	}
	nodes[n] = true
	for _, in := range reads(n) {
		f.need(in, nodes)
	}
}

// reads are the values that a node and its sub-graphs read.
func reads(n *ir.Node) []*ir.Value {
	var out []*ir.Value
	for _, v := range n.In {
		if v != nil {
			out = append(out, v)
		}
	}
	for _, s := range n.Subgraphs() {
		out = append(out, s.Captures()...)
	}
	return out
}

// advance runs nodes, which lead to v, and forgets what nothing reads any more.
func (f *frontier) advance(ctx context.Context, v *ir.Value, nodes map[*ir.Node]bool) error {
	piece, wanted, fed := f.piece(v, nodes)
	run, err := f.smp.run(piece, piece.Graph.Outputs)
	if err != nil {
		return err
	}
	for b := range f.smp.batches {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		in := map[string]*tensor.Tensor{}
		for _, x := range fed {
			in[x.Name] = f.kept[x][b]
		}
		got, err := run.Run(ctx, in)
		if err != nil {
			return err
		}
		for i, x := range wanted {
			f.kept[x] = append(f.kept[x], got[i].Clone())
		}
	}
	for n := range nodes {
		f.done[n] = true
	}
	f.forget(v)
	return nil
}

// forget drops what only finished nodes read, other than v.
func (f *frontier) forget(v *ir.Value) {
	for x := range f.kept {
		open := x == v
		for _, u := range x.Uses() {
			open = open || !f.done[u.Node]
		}
		if !open {
			delete(f.kept, x)
		}
	}
}

// piece is the part of the network that consists of the given nodes: a model, the
// values of the network that its outputs are and those that its inputs are.
func (f *frontier) piece(v *ir.Value, nodes map[*ir.Node]bool) (m *ir.Model, wanted, fed []*ir.Value) {
	whole := ir.CloneModel(f.m)
	g, at := whole.Graph, map[*ir.Value]*ir.Value{}
	var kept []*ir.Node
	inner := map[*ir.Value]bool{}
	for i, n := range f.m.Graph.Nodes {
		if !nodes[n] {
			continue
		}
		kept = append(kept, g.Nodes[i])
		for k, x := range n.Out {
			if x != nil {
				at[x], inner[x] = g.Nodes[i].Out[k], true
			}
		}
	}
	inputs := []*ir.Value{}
	for i, n := range f.m.Graph.Nodes {
		if !nodes[n] {
			continue
		}
		for k, x := range reads(n) {
			if f.kept[x] != nil && !inner[x] && at[x] == nil {
				at[x] = reads(g.Nodes[i])[k]
				inputs, fed = append(inputs, at[x]), append(fed, x)
			}
		}
		for _, x := range n.Out {
			if x != nil && (x == v || f.readLater(x, nodes)) {
				wanted = append(wanted, x)
			}
		}
	}
	g.Inputs, g.Nodes, g.Outputs = inputs, kept, nil
	for _, x := range wanted {
		g.Outputs = append(g.Outputs, at[x])
	}
	g.Bind()
	return whole, wanted, fed
}

// readLater reports whether a node beside the given ones, not run yet, reads x.
func (f *frontier) readLater(x *ir.Value, nodes map[*ir.Node]bool) bool {
	for _, u := range x.Uses() {
		if !nodes[u.Node] && !f.done[u.Node] {
			return true
		}
	}
	return false
}
