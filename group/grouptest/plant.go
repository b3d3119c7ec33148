// Package grouptest plants redundancy into networks, for tests of what removes it.
package grouptest

import (
	"math"
	"math/rand/v2"

	"pare/group"
	"pare/ir"
	"pare/tensor"
)

// Options of Plant.
type Options struct {
	// Every says which units of a free group are duplicated: the first of every so
	// many; 2 when 0.
	Every int
	// Scaled multiplies duplicates by numbers between 0.5 and 2 where all nodes
	// they pass are positively homogeneous.
	Scaled bool
	// Seed of the numbers by which columns are shared and duplicates are scaled.
	Seed uint64
}

// Planted says what Plant did.
type Planted struct {
	Units  int // that occur twice
	Scaled int // of these, those that are multiplied somewhere
	// Into is the change that merges every duplicate into its original, by unit of
	// an analysis of the network as it is now.
	Into []int
}

// Plant duplicates units of all free groups of m without a change of what it
// computes: a duplicate has the rows and parameters of its original and lies
// behind it, and both share its columns unevenly. Types must be known.
func Plant(m *ir.Model, o Options) (Planted, error) {
	a := group.Analyse(m, group.Removing)
	c := a.Keep()
	c.Times = make([]int, len(c.Into))
	for u := range c.Times {
		c.Times[u] = 1
	}
	done := Planted{}
	for _, g := range a.Groups {
		if g.Pinned() {
			continue
		}
		for i := 0; i < len(g.Units); i += max(1, o.every()) {
			c.Times[g.Units[i]] = 2
			done.Units++
		}
	}
	p := ir.NewPatch(m.Graph, "plant duplicates")
	if err := a.Apply(p, c); err != nil {
		return done, err
	}
	if err := p.Apply(); err != nil {
		return done, err
	}
	r := rand.New(rand.NewPCG(o.Seed, 17))
	twins := o.twins(group.Analyse(m, group.Removing))
	if err := share(m, twins, r); err != nil {
		return done, err
	}
	if o.Scaled {
		n, err := rescale(m, twins, r)
		if err != nil {
			return done, err
		}
		done.Scaled = n
	}
	done.Into = merging(o.twins(group.Analyse(m, group.Removing)))
	return done, nil
}

// merging is the change that merges duplicates.
func merging(twins []int) []int {
	into := make([]int, len(twins))
	for u, from := range twins {
		if into[u] = u; from >= 0 {
			into[u] = from
		}
	}
	return into
}

func (o Options) every() int {
	if o.Every == 0 {
		return 2
	}
	return o.Every
}

// twins are, by unit, the unit it was duplicated from; -1 for all others.
func (o Options) twins(a *group.Analysis) []int {
	out := make([]int, len(a.Pinned))
	for u := range out {
		out[u] = -1
	}
	for _, g := range a.Groups {
		if g.Pinned() {
			continue
		}
		for i := 0; i+1 < len(g.Units); i += o.every() + 1 {
			out[g.Units[i+1]] = g.Units[i]
		}
	}
	return out
}

// share moves a random part of every column of a duplicate to its original.
func share(m *ir.Model, twins []int, r *rand.Rand) error {
	p := ir.NewPatch(m.Graph, "share columns")
	constants := map[*ir.Value]*tensor.Tensor{}
	for _, l := range group.Analyse(m, group.Removing).Links {
		if l.Role != group.Column || l.Value().Const.Type != tensor.Float32 {
			continue // of coarser numbers, only halves are sure to add up

		}
		v := l.Value()
		t := constants[v]
		if t == nil {
			t = v.Const.Clone()
			constants[v] = t
			p.SetConst(v, t)
		}
		shift(t, l, twins, r)
	}
	return p.Apply()
}

func shift(t *tensor.Tensor, l *group.Link, twins []int, r *rand.Rand) {
	at := map[int][]int{}
	for i, u := range l.Units {
		at[u] = append(at[u], i)
	}
	x, size, inner := tensor.Data[float32](t), t.Shape[l.Axis], tensor.Len(t.Shape[l.Axis+1:])
	seen := map[int]int{}
	for i, u := range l.Units {
		from := twins[u]
		if from < 0 {
			continue
		}
		to := at[from][seen[u]]
		seen[u]++
		part := float32(r.Float64() - 0.5)
		for o := 0; o < len(x); o += size * inner {
			for k := range inner {
				d := part * x[o+i*inner+k]
				x[o+i*inner+k] -= d
				x[o+to*inner+k] += d
			}
		}
	}
}

// rescale multiplies duplicates by random numbers where that is free.
func rescale(m *ir.Model, twins []int, r *rand.Rand) (scaled int, err error) {
	a, b := group.Analyse(m, group.Removing), group.Analyse(m, group.Rescaling)
	scale, mine := make([]float64, len(b.Pinned)), make([]bool, len(b.Pinned))
	for u := range scale {
		scale[u], mine[u] = 1, b.Pinned[u] == ""
	}
	touched := map[int]int{} // by unit to be scaled, the duplicate
	for v := range m.Graph.Values {
		_, units, ok := a.Channels(v)
		_, free, known := b.Channels(v)
		for i := 0; known && i < len(free); i++ {
			if !ok || len(units) != len(free) || twins[units[i]] < 0 {
				mine[free[i]] = false
			} else {
				touched[free[i]] = units[i]
			}
		}
	}
	twin := map[int]bool{}
	for u := range scale {
		if d, ok := touched[u]; ok && mine[u] {
			scale[u] = math.Exp2(2*r.Float64() - 1)
			twin[d] = true
		}
	}
	p := ir.NewPatch(m.Graph, "scale duplicates")
	if err := b.Rescale(p, scale); err != nil {
		return 0, err
	}
	return len(twin), p.Apply()
}
