package format

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// settleAll is settle with all candidates in a sorted list.
func settleAll(levels []float32, q []int16, errs []float32, at []int) int {
	total := sum(errs)
	if total == 0 {
		return 0
	}
	sign, step := signOf(total), int16(-signOf(total))
	var list []candidate
	for i, e := range errs {
		c := i
		if at != nil {
			c = at[i]
		}
		if c < 0 || int(q[c]+step) < 0 || int(q[c]+step) >= len(levels) {
			continue
		}
		gap, u := (levels[q[c]]-levels[q[c]+step])*sign, e*sign
		if gap == 0 || u <= 0 || at == nil && u > 0.501*gap {
			continue
		}
		list = append(list, candidate{gap - 2*u, gap, i})
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(a.cost, b.cost) })
	n := 0
	for _, c := range list {
		if rest := total * sign; rest <= 0 || c.gap >= 2*rest {
			continue
		}
		k := c.at
		if at != nil {
			k = at[k]
		}
		q[k] += step
		errs[c.at] -= sign * c.gap
		total -= sign * c.gap
		n++
	}
	return n
}

// TestSettle compares the search for the cheapest weights with a sorted list of
// all, on even and uneven levels, some equal, and on sums that need more flips than
// are kept in order.
func TestSettle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	grids := map[string]*Encoded{
		"uniform": {Spec: Spec{Bits: 4}},
		"power":   {Levels: mirror(Table(4, 0.5))},
		"equal":   {Levels: []float32{-3, -1, 0, 0, 0, 1, 3}},
	}
	for name, e := range grids {
		for trial := range 400 {
			n, lean := 1+r.IntN(600), float32(r.NormFloat64()*0.1)
			if trial%2 == 0 {
				lean, n = 0, 1+r.IntN(20)
			}
			f := newFlipper(e, n, 1)
			f.use(0)
			q, errs, at := make([]int16, n), make([]float32, n), []int(nil)
			for i := range q {
				q[i] = int16(r.IntN(len(f.levels)))
				errs[i] = (r.Float32() - 0.5 + lean) * min(f.above[q[i]], f.below[q[i]], 4)
			}
			if trial%3 == 0 {
				at = r.Perm(n)
				at[0] = -1
			}
			wantQ, wantErrs, wantAt := slices.Clone(q), slices.Clone(errs), slices.Clone(at)
			want := settleAll(f.levels, wantQ, wantErrs, wantAt)
			if got := f.settle(q, errs, at); got != want || !slices.Equal(q, wantQ) || !slices.Equal(errs, wantErrs) {
				t.Fatalf("%s, %d weights: %d flips to %d, want %d to %d", name, n, got, q, want, wantQ)
			}
		}
	}
}
