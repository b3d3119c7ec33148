package prune

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"pare/compress"
	"pare/decompose"
	"pare/group"
	"pare/internal/par"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// work is what RED does to one network, and what there is to be said of it.
type work struct {
	m      *ir.Model
	env    *compress.Env
	layers []*layer
	of     map[*ir.Node]*layer
}

// layer is a layer and what happened to it.
type layer struct {
	compress.Layer
	hash        *Hash // nil when it was not hashed
	bytes       int64
	rows, left  int
	split       *decompose.Separation // nil where it was not tried
	moved, size float64               // squared: by merging, and of all weights
}

func newWork(m *ir.Model, env *compress.Env) *work {
	w := &work{m: m, env: env, of: map[*ir.Node]*layer{}}
	for _, l := range env.Layers(m) {
		x := &layer{Layer: l}
		if l.Weight != nil {
			x.bytes = int64(len(l.Weight.Const.Bytes()))
			x.rows = l.Weight.Const.Shape[l.Out]
		}
		w.layers = append(w.layers, x)
		w.of[l.Node] = x
	}
	return w
}

// hash hashes the weights of all layers, each by itself.
func (w *work) hash(ctx context.Context, o Hashing) error {
	results := make([]*tensor.Tensor, len(w.layers))
	errs := make([]error, len(w.layers))
	par.Each(len(w.layers), w.env.Threads, func(i int) {
		l := w.layers[i]
		if l.Reason != "" || context.Cause(ctx) != nil {
			return
		}
		results[i], l.hash, errs[i] = hashed(&l.Layer, o)
	})
	if err := context.Cause(ctx); err != nil {
		return err
	}
	p := ir.NewPatch(w.m.Graph, "hash weights")
	for i, t := range results {
		if errs[i] != nil {
			return fmt.Errorf("%v: %w", w.layers[i].Node, errs[i])
		}
		if t != nil {
			p.SetConst(w.layers[i].Weight, t)
		}
	}
	return p.Apply()
}

// merge merges units of all groups once: those that alpha allows when near, else
// identical ones. It returns how many went.
func (w *work) merge(ctx context.Context, q *RED, near bool) (int, error) {
	if err := context.Cause(ctx); err != nil {
		return 0, err
	}
	a := group.Analyse(w.m, group.Removing)
	s := newScales(w.m, q.Scaled)
	var groups []*group.Group
	for _, g := range a.Groups {
		if !g.Pinned() && w.skipped(g) == "" && slices.ContainsFunc(g.Links, func(l *group.Link) bool { return l.Role != group.Column }) {
			groups = append(groups, g)
		}
	}
	alphas := shares(q.Law, q.Alpha, groups)
	c, gone := a.Keep(), 0
	path := paths(w.m, a)
	for i, g := range groups {
		j := newJoint(g, s, w.env.Threads)
		apartBy := make([]uint64, j.n)
		for k, u := range g.Units {
			apartBy[k] = path[u]
		}
		of := j.twins(apartBy, w.env.Threads)
		if near {
			of = q.near(j, apartBy, alphas[i], w.env.Threads)
		}
		of = limited(of, max(8, (j.n+9)/10))
		for k, to := range of {
			if c.Into[g.Units[k]] = g.Units[to]; to != k {
				gone++
			}
		}
	}
	if gone == 0 {
		return 0, nil
	}
	return gone, w.apply(a, s, c, q.Aggregate == "mean")
}

// near clusters rows that are within the distance of the nearest share alpha of
// all pairs.
func (q *RED) near(j *joint, apartBy []uint64, alpha float64, threads int) []int {
	d := newDistances(j, threads)
	var all []float32
	for i := range d.n {
		for k := range i {
			if apartBy[i] != apartBy[k] {
				d.d[i*d.n+k], d.d[k*d.n+i] = float32(math.Inf(1)), float32(math.Inf(1))
			}
			all = append(all, d.at(i, k))
		}
	}
	if len(all) == 0 {
		return make([]int, j.n)
	}
	slices.Sort(all)
	limit := float64(all[min(int(alpha*float64(len(all))), len(all)-1)])
	if math.IsInf(limit, 0) {
		limit = math.MaxFloat64
	}
	merges := linkages[q.Linkage](d)
	n := 0
	for n < len(merges) && merges[n].cost <= limit && j.n-n > max(8, (j.n+9)/10) {
		n++
	}
	return clusters(j.n, merges[:n])
}

// limited undoes merges of the last units where fewer than least would be left.
func limited(of []int, least int) []int {
	left := 0
	for i, k := range of {
		if i == k {
			left++
		}
	}
	for i := len(of) - 1; i >= 0 && left < min(least, len(of)); i-- {
		if of[i] != i {
			of[i] = i
			left++
		}
	}
	return of
}

// skipped says which layer keeps a group whole because the recipe skips it.
func (w *work) skipped(g *group.Group) string {
	for _, l := range g.Links {
		if x := w.of[l.Node]; x != nil && l.Role != group.Column && strings.HasPrefix(x.Reason, "the recipe skips") {
			return x.Reason
		}
	}
	return ""
}

// apply makes merged units alike in scale, then merges them.
func (w *work) apply(a *group.Analysis, s *scales, c *group.Change, mean bool) error {
	scale, any := s.aligned(a, c)
	if any {
		p := ir.NewPatch(w.m.Graph, "scale neurons that are merged")
		if err := s.a.Rescale(p, scale); err != nil {
			return err
		}
		if err := p.Apply(); err != nil {
			return err
		}
		if _, err := op.Infer(w.m); err != nil {
			return err
		}
		a = group.Analyse(w.m, group.Removing)
	}
	c.Average = mean
	p := ir.NewPatch(w.m.Graph, "merge neurons")
	if err := a.Apply(p, c); err != nil {
		return err
	}
	if err := p.Apply(); err != nil {
		return err
	}
	_, err := op.Infer(w.m)
	return err
}

// aligned are the scales that give merged units the norm of the one they go into.
func (s *scales) aligned(a *group.Analysis, c *group.Change) (scale []float64, any bool) {
	scale = make([]float64, len(s.norm))
	for u := range scale {
		scale[u] = 1
	}
	for _, l := range a.Links {
		if l.Role == group.Column {
			continue
		}
		first := map[int][]int{}
		for k, u := range l.Units {
			first[u] = append(first[u], k)
		}
		for k, u := range l.Units {
			to := c.Into[u]
			if to == u || to < 0 {
				continue
			}
			n := slices.Index(first[u], k)
			mine, theirs := s.units(l, k), s.units(l, first[to][n])
			for i, r := range mine {
				if f := s.norm[theirs[i]] / s.norm[r]; f != 1 {
					scale[r], any = f, true
				}
			}
		}
	}
	return scale, any
}

// report says what happened to every layer.
func (w *work) report() {
	for _, l := range w.layers {
		if l.Reason != "" {
			w.env.Skip(&l.Layer, l.Reason)
			continue
		}
		t := l.Node.In[l.Operand].Const
		r := compress.LayerReport{Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: t.Type.String(), Bits: t.Type.Bits(), Params: t.Len(), BytesBefore: l.bytes, BytesAfter: int64(len(t.Bytes()))}
		var what []string
		if l.hash != nil {
			r.ErrorBefore, r.ErrorAfter = l.hash.Error, l.hash.Error
			what = append(what, fmt.Sprintf("%d levels", len(l.hash.Levels)))
		}
		if left := t.Shape[l.Out]; left != l.rows {
			what = append(what, fmt.Sprintf("%d of %d neurons", left, l.rows))
		}
		if text := l.splitting(&r); text != "" {
			what = append(what, text)
		}
		r.Reason = strings.Join(what, ", ")
		w.env.Done(r)
	}
}
