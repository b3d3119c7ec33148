package prune

import "math"

// negligible is the share of the deviation of what a layer computes below which a
// channel changes nothing that 32-bit floats can tell.
const negligible = 1e-7

// free says which units of b cost nothing: nothing reads them, or every layer that
// does would compute the same without them, but for a constant.
func (p *pruning) free(b *block) []bool {
	out, at := make([]bool, b.size()), map[int]int{}
	for i, u := range b.Units {
		out[i], at[u] = true, i
	}
	for _, r := range p.readers {
		if !r.reads(at) {
			continue
		}
		idle := p.idle(r)
		for j, u := range r.link.Units {
			if i, own := at[u]; own && !idle[j] {
				out[i] = false
			}
		}
	}
	return out
}

// reads reports whether any of the units is read.
func (r *reader) reads(units map[int]int) bool {
	for _, u := range r.link.Units {
		if _, own := units[u]; own {
			return true
		}
	}
	return false
}

// idle says which columns of a reader add a constant at most, as its statistics
// tell: the same everywhere, so that the bias can take its place, which zeros
// beside the data would break.
func (p *pruning) idle(r *reader) []bool {
	if known := p.idles[r]; known != nil {
		return known
	}
	s, cols := r.known(p.table), r.columns()
	norms, all := make([]float64, len(cols)), 0.0
	for j, col := range cols {
		for _, w := range col {
			norms[j] += float64(w) * float64(w)
		}
		if s != nil {
			all += norms[j] * s.Std[j] * s.Std[j]
		}
	}
	out := make([]bool, len(cols))
	for j := range out {
		out[j] = norms[j] == 0
		if s == nil || all == 0 || out[j] {
			continue
		}
		moves := math.Sqrt(norms[j]) * s.Std[j]
		if r.padded() {
			moves += math.Sqrt(norms[j]) * math.Abs(s.Mean[j])
		}
		out[j] = moves <= negligible*math.Sqrt(all)
	}
	p.idles[r] = out
	return out
}
