package quant

import (
	"context"
	"errors"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/ir"
	"pare/op"
	"pare/recon"
	"pare/tensor"
)

// frontier is how far into a network samples have been carried, whose layers are
// quantised one after the other: values that all that is left can be computed from, kept
// on disk. Each layer is then looked at without running what lies before it again.
type frontier struct {
	m      *ir.Model
	env    *compress.Env
	values []*ir.Value    // nil for the network's inputs as the data give them
	stores []*recon.Store // by value
	frozen bool           // some values cannot be kept
}

func (f *frontier) close() {
	for _, s := range f.stores {
		s.Close()
	}
	f.stores = nil
}

// run calls each with what values of the network as it is now are in batches of samples,
// and moves on as far as no layer of late lies before, where that pays.
func (f *frontier) run(ctx context.Context, late map[*ir.Node]bool, values []*ir.Value, each func(results []*tensor.Tensor) error, done func(n, of int)) error {
	if _, err := op.Infer(f.m); err != nil {
		return err
	}
	next := f.next(late)
	part, own, err := upTo(f.m, f.values, append(append([]*ir.Value{}, values...), next...))
	if err != nil {
		return err
	}
	stores, err := f.open(len(next))
	if err != nil {
		return err
	}
	data := *f.env.Data
	if f.values != nil {
		data.Set, data.Inputs, data.Samples = f.set(), calib.DefaultInputs, f.stores[0].Len()
	}
	err = calib.Each(ctx, part, data, own, func(results []*tensor.Tensor) error {
		if err := each(results[:len(values)]); err != nil {
			return err
		}
		ok, err := keep(stores, results[len(values):])
		if !ok {
			closeAll(stores)
			stores, f.frozen = nil, true
		}
		return err
	}, done)
	if err != nil || stores == nil {
		closeAll(stores)
		return err
	}
	f.close()
	f.values, f.stores = next, stores
	return nil
}

// open makes stores for n values; nil for none.
func (f *frontier) open(n int) (out []*recon.Store, err error) {
	for range n {
		s, err := recon.NewStore()
		if err != nil {
			closeAll(out)
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func closeAll(list []*recon.Store) {
	for _, s := range list {
		s.Close()
	}
}

// keep appends a batch. It is not ok where values do not lie sample by sample.
func keep(stores []*recon.Store, results []*tensor.Tensor) (ok bool, err error) {
	for i, s := range stores {
		if results[i].Rank() == 0 {
			return false, nil
		}
		err := s.Append(results[i], results[0].Shape[0])
		var odd *recon.NotBatchedError
		if errors.As(err, &odd) {
			return false, nil
		}
		if err != nil {
			return true, err
		}
	}
	return true, nil
}

// moves reports whether run would move on.
func (f *frontier) moves(late map[*ir.Node]bool) bool {
	_, err := op.Infer(f.m)
	return err == nil && f.next(late) != nil
}

// next lists the values that samples are worth being carried to; nil for none.
func (f *frontier) next(late map[*ir.Node]bool) []*ir.Value {
	if f.frozen {
		return nil
	}
	behind := f.behind(late)
	out, seen := []*ir.Value(nil), map[*ir.Value]bool{}
	var need func(v *ir.Value)
	need = func(v *ir.Value) {
		if v == nil || v.Const != nil || seen[v] || behind[v.Producer()] {
			return
		}
		seen[v] = true
		n := v.Producer()
		if n == nil || f.batched(v) {
			out = append(out, v)
			return
		}
		for _, u := range operandsOf(n) {
			need(u)
		}
	}
	for _, n := range f.m.Graph.Nodes {
		if behind[n] {
			for _, v := range operandsOf(n) {
				need(v)
			}
		}
	}
	if f.values != nil && sizeOf(out) > f.passed(behind)/storePays {
		return nil
	}
	return out
}

// storePays is how many numbers must be computed for each that is kept: a disk takes in
// far fewer of them than processors compute.
const storePays = 16

// behind are the nodes that some layer of late lies before, and these layers.
func (f *frontier) behind(late map[*ir.Node]bool) map[*ir.Node]bool {
	out := map[*ir.Node]bool{}
	for _, n := range f.m.Graph.Nodes {
		out[n] = late[n]
		for _, v := range operandsOf(n) {
			if v != nil && v.Producer() != nil {
				out[n] = out[n] || out[v.Producer()]
			}
		}
	}
	return out
}

// passed is how many numbers of a sample are computed between the frontier and what lies
// behind the next one.
func (f *frontier) passed(behind map[*ir.Node]bool) int {
	var values []*ir.Value
	at := map[*ir.Value]bool{}
	for _, v := range f.values {
		at[v] = true
	}
	reached := map[*ir.Node]bool{}
	for _, n := range f.m.Graph.Nodes {
		for _, v := range operandsOf(n) {
			reached[n] = reached[n] || v != nil && (at[v] || v.Producer() != nil && reached[v.Producer()])
		}
		if reached[n] && !behind[n] {
			values = append(values, n.Out...)
		}
	}
	return sizeOf(values)
}

// sizeOf is how many numbers of a sample values hold, as far as that is known.
func sizeOf(values []*ir.Value) (sum int) {
	for _, v := range values {
		if v == nil || v.Type.Rank() < 1 {
			continue
		}
		n := 1
		for _, d := range v.Type.Shape[1:] {
			n *= max(1, d.N)
		}
		sum += n
	}
	return sum
}

// batched reports whether a value has samples along its first dimension, as far as is
// known.
func (f *frontier) batched(v *ir.Value) bool {
	if v.Type.Rank() < 1 {
		return false
	}
	for _, in := range f.m.Graph.Inputs {
		if in.Const == nil && in.Type.Rank() > 0 {
			return v.Type.Shape[0] == in.Type.Shape[0]
		}
	}
	return false
}

// operandsOf are the values that a node and its sub-graphs read.
func operandsOf(n *ir.Node) []*ir.Value {
	out := n.In
	for _, s := range n.Subgraphs() {
		out = append(out[:len(out):len(out)], s.Captures()...)
	}
	return out
}

// set is what is kept, as samples.
func (f *frontier) set() dataset.Set {
	s := &storedSet{Set: f.env.Data.Set, stores: f.stores, last: make([]*tensor.Tensor, len(f.stores))}
	for _, v := range f.values {
		s.names = append(s.names, v.Name)
	}
	return s
}

// storedSet has the inputs of a part of a network. One goroutine reads it.
type storedSet struct {
	dataset.Set
	names  []string
	stores []*recon.Store
	last   []*tensor.Tensor
}

// Len implements dataset.Set.
func (s *storedSet) Len() int { return s.stores[0].Len() }

// Batch implements dataset.Set.
func (s *storedSet) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	out := dataset.Batch{Inputs: map[string]*tensor.Tensor{}}
	var samples []int
	for i := lo; i < hi; i++ {
		samples = append(samples, i)
	}
	for i, store := range s.stores {
		t, err := store.Read(samples, s.last[i])
		if err != nil {
			return out, err
		}
		s.last[i], out.Inputs[s.names[i]] = t, t
	}
	return out, nil
}

// upTo is the part of m that computes values from others, nil for the inputs of m, and
// these values in it. Without others it has all inputs of m, so that the same data can be
// fed.
func upTo(m *ir.Model, from, values []*ir.Value) (*ir.Model, []*ir.Value, error) {
	part, to, err := ir.Part(m, from, values)
	if err != nil {
		return nil, nil, err
	}
	if from == nil {
		have := map[*ir.Value]bool{}
		for _, v := range part.Graph.Inputs {
			have[v] = true
		}
		part.Graph.Inputs = nil
		for _, v := range m.Graph.Inputs {
			if v.Const != nil {
				continue
			}
			if to[v] == nil || !have[to[v]] {
				to[v] = &ir.Value{Name: v.Name, Type: v.Type}
			}
			part.Graph.Inputs = append(part.Graph.Inputs, to[v])
		}
		part.Graph.Bind()
	}
	own := make([]*ir.Value, len(values))
	for i, v := range values {
		own[i] = to[v]
	}
	return part, own, ir.Check(part.Graph)
}
