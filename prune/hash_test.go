package prune

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func normals(n int, seed uint64) []float32 {
	r, w := rand.New(rand.NewPCG(seed, 1)), make([]float32, n)
	for i := range w {
		w[i] = float32(r.NormFloat64())
	}
	return w
}

// slowModes evaluates the density at every grid point by its definition: no
// bins, no cut-off.
func slowModes(w []float32, width float64) (at []float64) {
	lo, hi := float64(slices.Min(w)), float64(slices.Max(w))
	f := func(x float64) (sum float64) {
		for _, v := range w {
			z := (x - float64(v)) / width
			sum += math.Exp(-z * z / 2)
		}
		return sum
	}
	step := width / 16
	for x := lo - width; x < hi+width; x += step {
		if b := f(x); f(x-step) < b && b >= f(x+step) {
			at = append(at, x)
		}
	}
	return at
}

// TestModesByDefinition: the modes on the grid are those of the density itself.
func TestModesByDefinition(t *testing.T) {
	w := normals(300, 3)
	w = append(w, 40, 40.01, 41, -1e6) // tails and a long way of nothing
	s := ascending(w)
	for _, width := range []float64{0.02, 0.1, 0.5} {
		var want []float64
		for _, part := range [][]float32{s[:1], s[1:301], s[301:]} {
			want = append(want, slowModes(part, width)...)
		}
		got := modesOf(s, width)
		if d := len(got) - len(want); d < -1 || d > 1 { // flat tops between points of the grid
			t.Fatalf("width %v: %d modes, want %d", width, len(got), len(want))
		}
		for _, x := range want {
			near := slices.ContainsFunc(got, func(m mode) bool { return math.Abs(m.at-x) < 0.2*width })
			if !near && len(got) == len(want) {
				t.Errorf("width %v: no mode near %v", width, x)
			}
		}
	}
}

// TestModeCounts is what section 3.1 of the specification derives for normal and
// for uniform numbers.
func TestModeCounts(t *testing.T) {
	const n = 9216
	share := map[float64][2]float64{1: {0.28, 0.34}, 3: {0.115, 0.135}, 10: {0.039, 0.049}, 30: {0.015, 0.020}, 100: {0.004, 0.006}}
	s := ascending(normals(n, 4))
	for c, want := range share {
		got := float64(len(modesOf(s, c*gap(s)))) / n
		if got < want[0] || got > want[1] {
			t.Errorf("c=%v: %.2f %% of the weights are modes, want %v", c, 100*got, want)
		}
	}
	s2 := ascending(normals(2000, 5))
	if got := float64(len(modesOf(s2, gap(s2)))) / 2000; got < 0.28 || got > 0.34 {
		t.Errorf("%.2f of 2,000 weights are modes, want about 0.31", got)
	}
	flat, r := make([]float32, 5*n), rand.New(rand.NewPCG(6, 1))
	for i := range flat {
		flat[i] = r.Float32()
	}
	s = ascending(flat)
	for _, c := range []float64{10, 30, 100} {
		d := c * gap(s)
		if got, want := float64(len(modesOf(s, d)))*d, math.Sqrt(1.5)/(2*math.Pi); math.Abs(got-want) > 0.1*want {
			t.Errorf("c=%v: %.4f modes to a bandwidth where the density is flat, want %.4f", c, got, want)
		}
	}
}

// TestProminent: joining by the heap is joining one by one, and keeps the hills.
func TestProminent(t *testing.T) {
	s := ascending(normals(3000, 7))
	modes := modesOf(s, 10*gap(s))
	for _, tau := range []float64{0, 0.05, 0.1, 0.3, 0.9} {
		want := slices.Clone(modes)
		for len(want) > 1 {
			least := 0
			for k := range want {
				if want[k].prominence() < want[least].prominence() {
					least = k
				}
			}
			m := want[least]
			if m.prominence() >= tau {
				break
			}
			if least == len(want)-1 || least > 0 && m.floor[0] >= m.floor[1] {
				want[least-1].hi, want[least-1].floor[1] = m.hi, m.floor[1]
			} else {
				want[least+1].lo, want[least+1].floor[0] = m.lo, m.floor[0]
			}
			want = slices.Delete(want, least, least+1)
		}
		got := prominent(modes, tau)
		if !slices.Equal(got, want) {
			t.Errorf("tau=%v: %d modes, want %d", tau, len(got), len(want))
		}
		t.Logf("tau=%v: %d of %d modes", tau, len(got), len(modes))
	}
}

// TestHash: every weight becomes the level of its hill, the reported error is
// that of the result, the error that is asked for is kept, and zeros stay.
func TestHash(t *testing.T) {
	w := normals(5000, 8)
	for i := 0; i < 40; i++ {
		w[17*i] = 0
	}
	w[5], w[6] = 30, -31 // outliers keep to themselves
	for _, o := range []Hashing{{Width: 3}, {Width: 30, Tau: 0.2, Mean: true}, {Error: 0.03, Tau: 0.1}, {Error: 0.01, Mean: true}, {Error: 1e-9}, {Error: 0}, {Error: 0.01, Mean: true, Most: 64}, {Width: 1e-3, Most: 3000}} {
		h, got := o.Fit(w), make([]float32, len(w))
		h.Apply(got, w)
		var wrong, all float64
		for i, v := range w {
			d := float64(got[i]) - float64(v)
			wrong, all = wrong+d*d, all+float64(v)*float64(v)
			if v == 0 && got[i] != 0 {
				t.Errorf("%+v: a zero becomes %v", o, got[i])
			}
		}
		e := math.Sqrt(wrong / all)
		t.Logf("%+v: %d levels, error %.4f, width %.1f gaps", o, len(h.Levels), e, h.Width/h.Gap)
		if math.Abs(e-h.Error) > 1e-6 {
			t.Errorf("%+v: the error is %v, reported %v", o, e, h.Error)
		}
		if o.Most > 0 && (len(h.Levels) > o.Most || e > 0.06) {
			t.Errorf("%+v: %d levels, error %v", o, len(h.Levels), e)
		}
		if o.Width == 0 && o.Most == 0 && e > o.Error {
			t.Errorf("%+v: the error is %v", o, e)
		}
		if !slices.IsSorted(h.Levels) || len(h.cuts) != len(h.Levels)-1 {
			t.Errorf("%+v: %d levels and %d cuts", o, len(h.Levels), len(h.cuts))
		}
		if d := float64(got[5]) - 30; o.Most == 0 && math.Abs(d) > 1e-3 {
			t.Errorf("%+v: an outlier moves by %v", o, d)
		}
	}
}

// TestHashFew: constants and pairs are their own modes.
func TestHashFew(t *testing.T) {
	for _, w := range [][]float32{{3}, {0, 0, 0}, {2, 2}, {1, 2, 1, 2}, {-0.5, 0.5}, {1e-38, 1e38}} {
		h, got := Hashing{Error: 0.02, Tau: 0.1}.Fit(w), make([]float32, len(w))
		h.Apply(got, w)
		for i := range w {
			if d := math.Abs(float64(got[i] - w[i])); d > 0.02*math.Abs(float64(w[i])) && d > 1e-30 {
				t.Errorf("%v becomes %v", w, got)
				break
			}
		}
	}
}

func TestAscending(t *testing.T) {
	w := append(normals(3000, 9), 0, float32(math.Copysign(0, -1)), 1e30, -1e30)
	want := slices.Clone(w)
	slices.Sort(want)
	if !slices.Equal(ascending(w), want) {
		t.Error("not in order")
	}
}
