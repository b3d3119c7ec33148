package decompose

import (
	"cmp"
	"slices"
)

// option is one way to write a layer.
type option struct {
	name         string // such as "rank 16, spatial"
	rank         int
	time         float64
	macs, params int64
	// lost is the share of the energy of what the layer computes that goes, 0 to 1.
	lost float64
	// make works the layers out that take its place; nil for the layer as it is.
	make func() *chain
}

// choice is a layer with the ways to write it; the first is as it is.
type choice struct {
	site    *site
	options []option
	chosen  int
	why     string // there is no other way
}

// price is the cost of an option in the currency of a budget.
type price func(o *option) int64

func macsOf(o *option) int64 { return o.macs }

func paramsOf(o *option) int64 { return o.params }

// hull keeps the options that no mixture of two others beats, costly ones first:
// along them each saving costs more than the one before.
func hull(options []option, by price) []option {
	sorted := slices.Clone(options)
	slices.SortStableFunc(sorted, func(a, b option) int {
		return cmp.Or(cmp.Compare(by(&b), by(&a)), cmp.Compare(a.lost, b.lost))
	})
	out := sorted[:0:0]
	for _, o := range sorted {
		if len(out) > 0 && by(&o) == by(&out[len(out)-1]) {
			continue
		}
		for len(out) > 1 && slope(&out[len(out)-2], &out[len(out)-1], by) >= slope(&out[len(out)-2], &o, by) {
			out = out[:len(out)-1]
		}
		out = append(out, o)
	}
	return out
}

// slope is what is lost from a to b for what is saved.
func slope(a, b *option, by price) float64 { return (b.lost - a.lost) / float64(by(a)-by(b)) }

func newOption(name string, rank int, list []work) option {
	o := option{name: name, rank: rank}
	o.macs, o.params, o.time = total(list)
	return o
}

// worthwhile is the share of its time that a layer may take and still count as
// faster.
const worthwhile = 0.9

// saves reports whether layers save multiply-accumulates, parameters and, unless
// that does not matter, time.
func (q *Settings) saves(s *site, list []work) bool {
	macs, params, time := total(list)
	whole := s.work()
	return macs < s.macs && params < s.params() && (q.Pays != "time" || time < worthwhile*whole.time())
}

// savings are what saves wants, in words.
func (q *Settings) savings() string {
	if q.Pays == "time" {
		return "multiply-accumulates, parameters and time"
	}
	return "multiply-accumulates and parameters"
}
