package quant

import (
	"fmt"
	"math"

	"pare/compress"
	"pare/format"
)

// advice finds the layers whose weights suit a power grid much better than the
// evenly spaced one they got. Networks with depthwise convolutions lose points
// to uniform 8-bit weights and next to nothing to power ones.
type advice struct {
	seen, layers int // looked at, better off
	worst        string
	error        [2]float64 // of the worst layer: uniform, power
}

// A layer counts when its error is worth a word and a power grid would cut it
// by a quarter and more. Convolutions of residual networks, which lose nothing
// to 8 bits, stay below that gain; depthwise ones lie above it.
const (
	notableError = 0.005
	notableGain  = 1.35
	// notableShare is how many layers in a hundred make a network one to warn of:
	// a single odd layer costs no accuracy.
	notableShare = 10
)

// look compares the relative error of a layer's encoded weights with that of
// the best power grid of the same width.
func (a *advice) look(p plan, cost format.Error, threads int) error {
	a.seen++
	s := p.spec
	if s.Asymmetric || s.Grain == format.PerBlock || s.Bits < 3 || cost.Relative() < notableError {
		return nil
	}
	h, err := format.NewHistogram(float32s(p.layer.Weight.Const), s, format.Squared, threads)
	if err != nil {
		return layerError(p.layer, err)
	}
	exponent, _ := format.Search([]format.Part{{Histogram: h, Bits: s.Bits}}, 2, format.NearestLevel, format.Golden)
	power := math.Sqrt(h.Error(s.Bits, exponent, 2, format.NearestLevel) / h.Energy())
	if cost.Relative() < notableGain*power {
		return nil
	}
	a.layers++
	if a.worst == "" || cost.Relative()/power > a.error[0]/a.error[1] {
		a.worst, a.error = p.layer.Name, [2]float64{cost.Relative(), power}
	}
	return nil
}

// tell warns with the recipe to try.
func (a *advice) tell(env *compress.Env, bits int) {
	if a.layers == 0 || 100*a.layers < notableShare*a.seen {
		return
	}
	env.Warn("%d of %d layers lose much more to evenly spaced levels than to a power grid (%s most: %s against %s of the size of its weights); try powerquant(w=%d)",
		a.layers, a.seen, a.worst, percent(a.error[0]), percent(a.error[1]), bits)
}

func percent(x float64) string { return fmt.Sprintf("%.2g %%", 100*x) }
