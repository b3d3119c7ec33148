package decompose

import (
	"cmp"
	"slices"
)

// option is one way to write a layer.
type option struct {
	form   *form
	rank   int
	macs   int64
	params int64
	lost   float64 // share of the energy of what the layer computes, 0 to 1
}

// choices are the ways to write one layer, the layer as it is first.
type choices struct {
	site    *site
	spectra map[string]*spectrum
	options []option
	chosen  int
}

// cost of an option in the currency of a budget.
type cost func(o *option) int64

func macsOf(o *option) int64 { return o.macs }

func paramsOf(o *option) int64 { return o.params }

// hull keeps the options that no mixture of two others beats, costly ones first:
// along them the loss grows ever faster for what is saved.
func hull(options []option, by cost) []option {
	sorted := slices.Clone(options)
	slices.SortStableFunc(sorted, func(a, b option) int {
		return cmp.Or(cmp.Compare(by(&b), by(&a)), cmp.Compare(a.lost, b.lost))
	})
	var out []option
	for _, o := range sorted {
		if len(out) > 0 && by(&o) == by(&out[len(out)-1]) {
			continue
		}
		for len(out) > 0 && out[len(out)-1].lost >= o.lost && len(out) > 1 {
			out = out[:len(out)-1]
		}
		for len(out) > 1 && slope(&out[len(out)-2], &out[len(out)-1], by) >= slope(&out[len(out)-1], &o, by) {
			out = out[:len(out)-1]
		}
		out = append(out, o)
	}
	return out
}

// slope is what is lost from a to b for what is saved.
func slope(a, b *option, by cost) float64 {
	return (b.lost - a.lost) / float64(by(a)-by(b))
}
