package format

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"pare/tensor"
)

// gramOf are the products of n samples of k numbers that a few causes share, as
// neighbouring channels do; number dead is always 0, -1 for none.
func gramOf(r *rand.Rand, n, k, dead int) []float64 {
	h := make([]float64, k*k)
	mix := make([]float64, k*k)
	for i := range mix {
		mix[i] = r.NormFloat64()
	}
	x := make([]float64, k)
	for range n {
		for i := range x {
			x[i] = 0.3 * r.NormFloat64()
		}
		for c := range max(1, k/4) {
			cause := r.NormFloat64()
			for i := range x {
				x[i] += cause * mix[c*k+i] * float64(1+i%3)
			}
		}
		if dead >= 0 {
			x[dead] = 0
		}
		for i := range x {
			for j := range x {
				h[i*k+j] += x[i] * x[j]
			}
		}
	}
	return h
}

// textbook is the published loop for one row: no blocks, U from the inverse of H.
func textbook(w []float64, h []float64, damp float64, ordered bool, round func(k int, x float64) float64) []float64 {
	k := len(w)
	order := make([]int, k)
	mean := 0.0
	for i := range order {
		order[i] = i
		mean += h[i*k+i] / float64(k)
	}
	if ordered {
		slices.SortStableFunc(order, func(a, b int) int {
			switch x, y := h[a*k+a], h[b*k+b]; {
			case x > y:
				return -1
			case x < y:
				return 1
			}
			return 0
		})
	}
	s := mat.NewSymDense(k, nil)
	for i := range k {
		for j := i; j < k; j++ {
			s.SetSym(i, j, h[order[i]*k+order[j]])
		}
		s.SetSym(i, i, s.At(i, i)+damp*mean)
	}
	var chol, inverse mat.Cholesky
	var inv mat.SymDense
	var u mat.TriDense
	if !chol.Factorize(s) || chol.InverseTo(&inv) != nil || !inverse.Factorize(&inv) {
		panic("singular")
	}
	inverse.UTo(&u)
	rest := make([]float64, k)
	for i := range rest {
		rest[i] = w[order[i]]
	}
	out := make([]float64, k)
	for i := range k {
		q := round(order[i], rest[i])
		out[order[i]] = q
		e := (rest[i] - q) / u.At(i, i)
		for j := i; j < k; j++ {
			rest[j] -= e * u.At(i, j)
		}
	}
	return out
}

// resultError is (w-q)·H·(w-q)ᵀ by definition.
func resultError(w, q, h []float64) (sum float64) {
	k := len(w)
	for i := range k {
		for j := range k {
			sum += (w[i] - q[i]) * h[i*k+j] * (w[j] - q[j])
		}
	}
	return sum
}

// compensated are cases of what Compensate must do.
var compensated = []struct {
	spec   Spec
	shape  []int
	out    int
	groups int
}{
	{Spec{Bits: 4, Grain: PerChannel}, []int{7, 150}, 0, 1},
	{Spec{Bits: 3, Grain: PerChannel, Axis: 1}, []int{140, 9}, 1, 1},
	{Spec{Bits: 4, Asymmetric: true, Grain: PerChannel}, []int{6, 5, 3, 3}, 0, 1},
	{Spec{Bits: 2, Wide: true}, []int{40, 6}, 1, 1},
	{Spec{Bits: 8, Grain: PerChannel}, []int{5, 30}, 0, 1},
	{Spec{Kind: Power, Bits: 4, Exponent: 0.5, Grain: PerChannel}, []int{6, 50}, 0, 1},
	{Spec{Kind: Power, Bits: 3, Exponent: 0.7, Top: 48, Grain: PerChannel, Axis: 1}, []int{50, 4}, 1, 1},
	{Spec{Kind: Codebook, Bits: 3, Top: 48, Grain: PerChannel}, []int{6, 4, 3, 3}, 0, 1},
	{Spec{Kind: Codebook, Bits: 2}, []int{30, 5}, 1, 1},
	{Spec{Bits: 4, Grain: PerBlock, Axis: 1, Block: 16}, []int{5, 70}, 0, 1},
	{Spec{Bits: 4, Grain: PerBlock, Axis: 0, Block: 16}, []int{64, 5}, 1, 1},
	{Spec{Bits: 3, Grain: PerBlock, Axis: 1, Block: 2}, []int{4, 6, 3, 3}, 0, 1},
	{Spec{Bits: 3, Grain: PerChannel}, []int{12, 1, 3, 3}, 0, 12},
	{Spec{Bits: 3, Grain: PerChannel}, []int{12, 5, 3, 3}, 0, 3},
}

// TestCompensate compares with the published loop, row by row.
func TestCompensate(t *testing.T) {
	for i, c := range compensated {
		for _, ordered := range []bool{false, true} {
			t.Run(fmt.Sprint(c.spec, c.shape, ordered), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(i), 1))
				w, e := encodedRandom(t, r, c.spec, c.shape)
				dim, inner := c.shape[c.out], tensor.Len(c.shape[c.out+1:])
				k := w.Len() / dim
				var products [][]float64
				for range c.groups {
					products = append(products, gramOf(r, 3*k, k, -1))
				}
				old := decodedRows(t, e, dim, inner)
				rows := rowsOf(tensor.Data[float32](w), dim, inner)
				_, sum, err := e.Compensate(w, c.out, Compensation{Products: products, Damp: 0.01, Ordered: ordered, Threads: 3})
				if err != nil {
					t.Fatal(err)
				}
				got := decodedRows(t, e, dim, inner)
				levels := e.levelsAt(dim, inner)
				before, after := 0.0, 0.0
				for o := range dim {
					h := products[o*c.groups/dim]
					want := textbook(rows[o], h, 0.01, ordered, func(k int, x float64) float64 { return nearestOf(levels(o, k), x) })
					was, now := resultError(rows[o], old[o], h), resultError(rows[o], want, h)
					if !(now < was) {
						want, now = old[o], was
					}
					before, after = before+was, after+now
					if !slices.Equal(got[o], want) {
						t.Errorf("row %d: %v\nwant %v", o, got[o], want)
					}
				}
				if math.Abs(sum.Before-before) > 1e-6*before || math.Abs(sum.After-after) > 1e-6*before {
					t.Errorf("errors %v, %v; want %v, %v", sum.Before, sum.After, before, after)
				}
				if sum.After >= 0.9*sum.Before || sum.Moved == 0 {
					t.Errorf("%+v: nothing gained", sum)
				}
			})
		}
	}
}

// encodedRandom encodes normal weights.
func encodedRandom(t *testing.T, r *rand.Rand, s Spec, shape []int) (*tensor.Tensor, *Encoded) {
	t.Helper()
	w := tensor.New(tensor.Float32, shape...)
	for i := range tensor.Data[float32](w) {
		tensor.Data[float32](w)[i] = float32(r.NormFloat64())
	}
	e, _, err := Encode(w, s, Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return w, e
}

func rowsOf(x []float32, dim, inner int) [][]float64 {
	out := make([][]float64, dim)
	for i, v := range x {
		o := i / inner % dim
		out[o] = append(out[o], float64(v))
	}
	return out
}

func decodedRows(t *testing.T, e *Encoded, dim, inner int) [][]float64 {
	t.Helper()
	d, err := e.Decode(1)
	if err != nil {
		t.Fatal(err)
	}
	return rowsOf(tensor.Data[float32](d), dim, inner)
}

// levelsAt tells all numbers that weight k of a row can stand for, by decoding every
// code at its place.
func (e *Encoded) levelsAt(dim, inner int) func(row, k int) []float64 {
	var all [][][]float64
	codes := 1 << e.Spec.Bits
	for q := range codes {
		b := byte(q)
		if e.Levels == nil && !e.Spec.Asymmetric {
			if b = byte(q - codes/2); q == 0 {
				continue // the least code has no use
			}
		}
		if e.Levels != nil && q >= len(e.Levels) {
			continue
		}
		x := *e
		x.Codes = tensor.FromCodes(e.Codes.Type, e.Codes.Shape, slices.Repeat([]byte{b}, e.Codes.Len()))
		d, err := x.Decode(1)
		if err != nil {
			panic(err)
		}
		all = append(all, rowsOf(tensor.Data[float32](d), dim, inner))
	}
	return func(row, k int) (out []float64) {
		for _, d := range all {
			out = append(out, d[row][k])
		}
		return out
	}
}

func nearestOf(levels []float64, x float64) float64 {
	best := levels[0]
	for _, v := range levels {
		if math.Abs(v-x) < math.Abs(best-x) {
			best = v
		}
	}
	return best
}

// TestCompensateThreads: the bytes do not depend on threads.
func TestCompensateThreads(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	w, a := encodedRandom(t, r, Spec{Bits: 4, Grain: PerChannel}, []int{200, 170})
	h := [][]float64{gramOf(r, 400, 170, 3)}
	b := *a
	for _, x := range []struct {
		e       *Encoded
		threads int
	}{{a, 1}, {&b, 7}} {
		if _, _, err := x.e.Compensate(w, 0, Compensation{Products: h, Damp: 0.01, Ordered: true, Threads: x.threads}); err != nil {
			t.Fatal(err)
		}
	}
	if !tensor.Equal(a.Codes, b.Codes) {
		t.Error("codes depend on threads")
	}
}

// TestCompensateSingular: fewer samples than weights, numbers that are always 0, and
// products that cannot be used.
func TestCompensateSingular(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	w, e := encodedRandom(t, r, Spec{Bits: 3, Grain: PerChannel}, []int{10, 60})
	old := e.Codes
	h := gramOf(r, 9, 60, 5)
	_, sum, err := e.Compensate(w, 0, Compensation{Products: [][]float64{h}, Threads: 1})
	if err != nil || sum.Damp > 0 || sum.Moved > 0 || !tensor.Equal(e.Codes, old) {
		t.Errorf("%+v, %v: without damping", sum, err)
	}
	_, sum, err = e.Compensate(w, 0, Compensation{Products: [][]float64{h}, Damp: 1e-18, Threads: 1})
	if err != nil || !(sum.Damp > 1e-18) {
		t.Errorf("%+v, %v: damping does not grow", sum, err)
	}
	_, sum, err = e.Compensate(w, 0, Compensation{Products: [][]float64{h}, Damp: 0.01, Threads: 1})
	if err != nil || sum.Damp != 0.01 || sum.Moved < 3 || !(sum.After < 0.8*sum.Before) {
		t.Errorf("%+v, %v", sum, err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		h[7] = bad
		h[7*60] = bad
		before := e.Codes
		if _, sum, err = e.Compensate(w, 0, Compensation{Products: [][]float64{h}, Damp: 0.01, Threads: 1}); err != nil || sum.Moved > 0 || !tensor.Equal(e.Codes, before) {
			t.Errorf("%v: %+v, %v", bad, sum, err)
		}
	}
	if _, _, err = e.Compensate(w, 0, Compensation{Products: [][]float64{h[:9]}}); err == nil {
		t.Error("products of another size are taken")
	}
}

// TestCompensateRefit: scales of blocks that are chosen late lose less on clipped grids,
// and what was refused stays with its old scales.
func TestCompensateRefit(t *testing.T) {
	for _, asymmetric := range []bool{false, true} {
		r := rand.New(rand.NewPCG(3, 1))
		s := Spec{Bits: 3, Grain: PerBlock, Axis: 1, Block: 32, Asymmetric: asymmetric}
		w, a := encodedRandom(t, r, s, []int{20, 100})
		h := gramOf(r, 300, 100, -1)
		b := *a
		_, fixed, err := a.Compensate(w, 0, Compensation{Products: [][]float64{h}, Damp: 0.01, Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		_, late, err := b.Compensate(w, 0, Compensation{Products: [][]float64{h}, Damp: 0.01, Refit: true, Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		if !(late.After < fixed.After) {
			t.Errorf("%v: refitted %v, fixed %v", s, late.After, fixed.After)
		}
		rows, got := rowsOf(tensor.Data[float32](w), 20, 100), decodedRows(t, &b, 20, 100)
		after := 0.0
		for o := range rows {
			after += resultError(rows[o], got[o], h)
		}
		if math.Abs(after-late.After) > 1e-6*after {
			t.Errorf("%v: says an error of %v, has %v", s, late.After, after)
		}
	}
}

// TestCompensateDeadGroup: where the data of some channels are always 0, the others are
// rounded all the same.
func TestCompensateDeadGroup(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	w, e := encodedRandom(t, r, Spec{Bits: 3, Grain: PerChannel}, []int{8, 1, 3, 3})
	old := tensor.Codes(e.Codes)
	products := make([][]float64, 8)
	for g := range products {
		products[g] = make([]float64, 81)
		if g != 5 {
			products[g] = gramOf(r, 60, 9, -1)
		}
	}
	_, sum, err := e.Compensate(w, 0, Compensation{Products: products, Damp: 0.01, Threads: 2})
	if err != nil || sum.Moved < 4 || sum.Damp != 0.01 {
		t.Errorf("%+v, %v", sum, err)
	}
	if now := tensor.Codes(e.Codes); !slices.Equal(now[45:54], old[45:54]) {
		t.Errorf("codes that meet nothing changed: %v, were %v", now[45:54], old[45:54])
	}
}
