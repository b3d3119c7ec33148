package quant

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"pare/calib"
	"pare/compress"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "smooth",
		Kind: compress.Rescaling,
		Doc:  "move part of the range of each channel of the data into the weights that read it, without changing the function",
		Ref:  "[xiao23] SmoothQuant: Accurate and Efficient Post-Training Quantization for Large Language Models, arXiv:2211.10438",
		New:  func() compress.Method { return &Smooth{Alpha: "0.5", W: 8, A: 8, Clip: "bound"} },
	})
}

// Smooth divides every channel j of what layers read by max|X_j|^alpha over
// max|W_j|^(1-alpha), W_j being all weights that read it [xiao23], and multiplies these
// weights. The factors go into whatever computes the channel: the gain and offset of a
// LayerNorm, the filters of a layer.
type Smooth struct {
	Alpha string `json:"alpha" doc:"how far ranges go into weights: 1 all, 0 those of the weights into the data; auto for the least expected error of each group of channels, none at all among the candidates" values:"auto|number"`
	W     int    `json:"w" doc:"bits that the weights will have, 2 to 8, for alpha=auto"`
	A     int    `json:"a" doc:"bits that the data will have, 2 to 8, for alpha=auto"`
	Clip  string `json:"clip" doc:"channels that pass a Clip such as ReLU6: give each its own bound, or leave them alone" values:"bound|leave"`
}

// Validate implements compress.Method.
func (s *Smooth) Validate() error {
	switch {
	case s.W < 2 || s.W > 8:
		return fmt.Errorf("w=%d is not in 2..8", s.W)
	case s.A < 2 || s.A > 8:
		return fmt.Errorf("a=%d is not in 2..8", s.A)
	}
	if a, err := strconv.ParseFloat(s.Alpha, 64); err == nil && !(a >= 0 && a <= 1) {
		return fmt.Errorf("alpha=%v is not in 0..1", a)
	}
	return nil
}

// Needs implements compress.Calibrated: what layers read, by channel.
func (s *Smooth) Needs(m *ir.Model, env *compress.Env) []calib.Request {
	return (&SPIQ{}).Needs(m, env)
}

// Apply implements compress.Method.
func (s *Smooth) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if err := complete(ctx, m, env); err != nil {
		return err
	}
	r, err := newRescaling(m, env, s.Clip == "bound")
	if err != nil {
		return err
	}
	x := newSmoothing(r, newReaches(m, env, wholeRange))
	alpha, err := strconv.ParseFloat(s.Alpha, 64)
	for _, g := range x.groups {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if len(g.units) == 0 {
			continue
		}
		best := alpha
		if s.Alpha == "auto" {
			best = x.search(g, s.W, s.A)
		}
		for i, f := range x.factors(g, best) {
			r.scale[g.units[i]] = f
		}
	}
	return r.apply(ctx)
}

// wholeRange is as many deviations as the largest numbers of trained networks lie from
// the mean, so that observed ranges count whole; those without data reach as far.
const wholeRange = 20

// smoothing knows, by unit, the largest of the data and of the weights that read it, and
// the mean square of the data.
type smoothing struct {
	*equalizer
	reach, square []float64
}

func newSmoothing(r *rescaling, known *reaches) *smoothing {
	n := len(r.scale)
	x := &smoothing{reach: make([]float64, n), square: make([]float64, n)}
	for _, v := range readTensors(r.layers) {
		axis, units, ok := r.a.Channels(v)
		if !ok {
			continue
		}
		reach, why := known.reach(v, axis, len(units))
		if why != "" {
			why = fmt.Sprintf("the ranges of the channels of %q are not known: %s", v.Name, why)
			r.lock(units, why)
			for _, u := range units {
				r.free[u] = false
			}
			continue
		}
		for c, u := range units {
			x.reach[u], x.square[u] = max(x.reach[u], reach[c]), max(x.square[u], known.squares(v)[c])
		}
	}
	for u := range r.free {
		r.free[u] = r.free[u] && x.reach[u] > 0
	}
	x.equalizer = newEqualizer(r)
	return x
}

// leastWeight is the largest weight of a channel that counts, at least.
const leastWeight = 1e-5

// factors multiply the units of a group; the largest of its data stays as large. A
// negative alpha leaves all as they are.
func (x *smoothing) factors(g *side, alpha float64) []float64 {
	out := filled(len(g.units), 1)
	if alpha < 0 {
		return out
	}
	was, is := 0.0, 0.0
	for i, u := range g.units {
		out[i] = math.Pow(max(x.columns[u], leastWeight), 1-alpha) / math.Pow(x.reach[u], alpha)
		was, is = max(was, x.reach[u]), max(is, x.reach[u]*out[i])
	}
	for i := range out {
		out[i] *= was / is
	}
	return out
}

// alphaSteps is how finely alpha is searched.
const alphaSteps = 20

// search finds the alpha whose errors are expected to be least, -1 for none.
func (x *smoothing) search(g *side, w, a int) float64 {
	best, at := x.expected(g, x.factors(g, -1), w, a), -1.0
	for i := range alphaSteps + 1 {
		alpha := float64(i) / alphaSteps
		if e := x.expected(g, x.factors(g, alpha), w, a); e < best {
			best, at = e, alpha
		}
	}
	return at
}

// expected is the variance of the errors that rounding data, on one grid, and weights,
// on one for each row, makes in the results of all layers that read a group.
func (x *smoothing) expected(g *side, factors []float64, w, a int) (sum float64) {
	scale := filled(len(x.scale), 1)
	largest := 0.0
	for i, u := range g.units {
		scale[u] = factors[i]
		largest = max(largest, x.reach[u]*factors[i])
	}
	const uniform = 1.0 / 12
	step := largest / float64(int(1)<<a-1)
	for _, c := range g.columns {
		for j, e := range c.byColumn() {
			u := c.columns.Units[j]
			sum += uniform * step * step * e / (scale[u] * scale[u])
		}
		for o := range c.outs {
			units := c.columns.Units[c.part(o)*c.ins:][:c.ins]
			top, energy := 0.0, 0.0
			for j, v := range c.top[o*c.ins:][:c.ins] {
				s := scale[units[j]]
				top, energy = max(top, float64(v)/s), energy+x.square[units[j]]*s*s
			}
			top /= float64(int(1)<<(w-1) - 1)
			sum += uniform * top * top * energy * c.taps
		}
	}
	return sum
}
