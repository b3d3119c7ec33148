package quant

import (
	"context"
	"fmt"
	"math"
	"slices"

	"pare/compress"
	"pare/group"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "equalize",
		Kind: compress.Rescaling,
		Doc:  "make the weights before and behind a channel equally large, without changing the function",
		Ref:  "[nagel19] Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv:1906.04721, section 4.1",
		New:  func() compress.Method { return &Equalize{Clip: "bound", Rounds: 50, Reach: true} },
	})
}

// Equalize is the cross-layer equalisation of [nagel19] on coupled channels:
// each channel is rescaled so that the largest weight that computes it equals the
// largest that reads it, over all layers that share the channel. Where ranges
// are known a channel grows no larger than its tensor was, nor shrinks below an
// eighth of it: the paper does neither, and on networks with channels that
// hardly move the data then no longer fit one scale.
type Equalize struct {
	Clip   string `json:"clip" doc:"channels that pass a Clip such as ReLU6: give each its own bound, or leave them alone" values:"bound|leave"`
	Rounds int    `json:"rounds" doc:"most rounds over all layers"`
	Reach  bool   `json:"reach" doc:"keep channels within the range of their tensor and above an eighth of it, where ranges are known"`
}

// Validate implements compress.Method.
func (q *Equalize) Validate() error {
	if q.Rounds < 1 || q.Rounds > 1000 {
		return fmt.Errorf("rounds=%d is not in 1..1000", q.Rounds)
	}
	return nil
}

const (
	// settled is the mean relative change of the scales that ends equalisation.
	settled = 1e-4
	// deadWeight is the largest weight of a channel, relative to that of the
	// channels beside it, which counts as dead. Trained networks hold channels of
	// 1e-17; equalised they would blow up.
	deadWeight = 1e-6
	// mostBuried is by how much what is left of a dead channel is scaled at most.
	mostBuried = 1e4
)

// Apply implements compress.Method.
func (q *Equalize) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if q.Reach {
		if err := complete(ctx, m, env); err != nil {
			return err
		}
	}
	r, err := newRescaling(m, env, q.Clip == "bound")
	if err != nil {
		return err
	}
	e := newEqualizer(r)
	e.buryDead()
	for range q.Rounds {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if e.round() < settled {
			break
		}
	}
	if q.Reach {
		e.keepReach(newReaches(m, env, 0))
	}
	return r.apply(ctx)
}

// leastReach is what equalisation leaves of the range of a tensor to a channel.
const leastReach = 1.0 / 8

// keepReach limits scales by the ranges of what layers read.
func (e *equalizer) keepReach(r *reaches) {
	for _, v := range readTensors(e.layers) {
		axis, units, ok := e.a.Channels(v)
		if !ok {
			continue
		}
		reach, why := r.reach(v, axis, len(units))
		if why != "" {
			continue
		}
		most := slices.Max(reach)
		for c, u := range units {
			if e.scale[u] != 1 {
				e.scale[u] = max(min(e.scale[u], most/reach[c]), min(1, leastReach*most/reach[c]))
			}
		}
	}
}

// equalizer is an equalisation under way.
type equalizer struct {
	*rescaling
	groups        []*side
	rows, columns []float64 // by unit, the largest weights
}

// side is a group of channels with the weights on either side.
type side struct {
	units         []int // that may change
	rows, columns []*matrix
}

// newEqualizer measures all groups.
func newEqualizer(r *rescaling) *equalizer {
	e := &equalizer{rescaling: r, rows: make([]float64, len(r.scale)), columns: make([]float64, len(r.scale))}
	of := map[*group.Link]*matrix{}
	for _, x := range r.matrices() {
		of[x.rows], of[x.columns] = x, x
	}
	for _, g := range r.a.Groups {
		s := &side{}
		for _, u := range g.Units {
			if r.free[u] {
				s.units = append(s.units, u)
			}
		}
		for _, l := range g.Links {
			switch x := of[l]; {
			case x == nil:
			case l.Role == group.Row:
				s.rows = append(s.rows, x)
			default:
				s.columns = append(s.columns, x)
			}
		}
		e.measure(s)
		e.groups = append(e.groups, s)
	}
	return e
}

// measure finds the largest weights in rows and columns of the units of a group.
func (e *equalizer) measure(s *side) {
	for _, u := range s.units {
		e.rows[u], e.columns[u] = 0, 0
	}
	for _, x := range s.rows {
		x.rowTops(e.scale, e.rows)
	}
	for _, x := range s.columns {
		x.columnTops(e.scale, e.columns)
	}
}

// buryDead takes dead channels out, and groups that have no others.
func (e *equalizer) buryDead() {
	e.groups = slices.DeleteFunc(e.groups, func(s *side) bool {
		e.bury(s)
		return len(s.units) == 0
	})
}

// bury takes channels out that nothing computes or nothing reads. What is left
// of them, often huge, is brought down to the median of the others, so that it
// does not set the range of a layer.
func (e *equalizer) bury(s *side) {
	var r, c float64
	for _, u := range s.units {
		r, c = max(r, e.rows[u]), max(c, e.columns[u])
	}
	var live, dead []int
	for _, u := range s.units {
		if e.rows[u] <= deadWeight*r || e.columns[u] <= deadWeight*c {
			dead = append(dead, u)
		} else {
			live = append(live, u)
		}
	}
	s.units = live
	if len(live) == 0 {
		return
	}
	of := func(list []float64) []float64 {
		var out []float64
		for _, u := range live {
			out = append(out, list[u])
		}
		return out
	}
	rows, columns := median(of(e.rows)), median(of(e.columns))
	for _, u := range dead {
		switch {
		case e.columns[u] > columns:
			e.scale[u] = min(e.columns[u]/columns, mostBuried)
		case e.rows[u] > rows:
			e.scale[u] = max(rows/e.rows[u], 1/mostBuried)
		}
	}
}

// round equalises group after group and returns the mean change.
func (e *equalizer) round() float64 {
	sum, n := 0.0, 0
	for _, s := range e.groups {
		e.measure(s)
		for _, u := range s.units {
			f := math.Sqrt(e.columns[u] / e.rows[u])
			e.scale[u] *= f
			sum, n = sum+math.Abs(math.Log(f)), n+1
		}
	}
	return sum / max(1, float64(n))
}
