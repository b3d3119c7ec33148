package quant

import (
	"fmt"
	"math"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// span is the range of a value.
type span struct{ lo, hi float64 }

// ranger finds the range that a grid of the given width should cover, or says
// why it is not known.
type ranger func(v *ir.Value, bits int) (span, string)

// anyRange pretends that every range is known, to find what could be quantised.
func anyRange(v *ir.Value, _ int) (span, string) { return span{-1, 1}, unsuitedType(v) }

// unsuitedType says why a value cannot be quantised whatever its range.
func unsuitedType(v *ir.Value) string {
	switch t := v.Type.DType; {
	case t == tensor.Undefined:
		return "its element type is not known"
	case t != tensor.Float32:
		return fmt.Sprintf("its elements are %v", t)
	}
	return ""
}

// ranges takes the range of each value from what was observed, and without data
// from what the network says of itself.
func (u *activations) ranges(m *ir.Model, env *compress.Env) ranger {
	tables := map[float64]*calib.Table{}
	return func(v *ir.Value, bits int) (span, string) {
		if why := unsuitedType(v); why != "" {
			return span{}, why
		}
		if env.Observed != nil {
			return u.observed(env.Observed[v], bits)
		}
		k := u.reach(bits)
		if tables[k] == nil {
			tables[k] = propagated(m, env, k)
		}
		s, why := tables[k].Stats(v)
		if s == nil {
			return span{}, why
		}
		out := span{math.Inf(1), math.Inf(-1)}
		for c := range s.Lo {
			out.lo, out.hi = min(out.lo, s.Lo[c]), max(out.hi, s.Hi[c])
		}
		return out, ""
	}
}

func (u *activations) observed(o *calib.Observed, bits int) (span, string) {
	if o == nil || o.Count == 0 {
		return span{}, "calibration never computed it"
	}
	lo, hi := o.MinMax()
	top := math.Inf(1)
	switch u.clip {
	case "percentile":
		top = o.Percentile(u.percentile)
	case "mse":
		top = o.Clip(1<<bits - 1)
	}
	return span{max(min(lo, 0), -top), min(max(hi, 0), top)}, ""
}

// reach is the number of standard deviations that a range without data
// reaches.
func (u *activations) reach(bits int) float64 {
	if u.deviations != 0 {
		return u.deviations
	}
	return deviations(bits)
}
