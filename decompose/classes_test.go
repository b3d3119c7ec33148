package decompose

import (
	"math"
	"math/rand/v2"
	"testing"
)

// ratio is k over u where one is a multiple of the other, else 0.
func ratio(u, k []float32) float64 {
	f := 0.0
	for t, x := range u {
		switch {
		case x == 0 && k[t] == 0:
		case x == 0 || k[t] == 0:
			return 0
		case f == 0:
			f = float64(k[t]) / float64(x)
		case math.Abs(float64(k[t])/float64(x)-f) > 1e-6*math.Abs(f):
			return 0
		}
	}
	return f
}

// planted are kernels of -1, 0 and 1 of which many are multiples of others.
func planted(outs, ins, taps int) *kernels {
	r := rand.New(rand.NewPCG(3, 4))
	w := &kernels{outs: outs, ins: ins, taps: taps, data: make([]float32, outs*ins*taps)}
	for i := range w.data {
		w.data[i] = float32(r.IntN(3) - 1)
	}
	for k := range outs * ins / 2 {
		i := r.IntN(ins)
		u, v := w.at(i, r.IntN(outs)), w.at(i, r.IntN(outs))
		f := []float32{-1, 2.5, -0.37, 0, 1.0 / 3}[k%5]
		for t := range u {
			v[t] = f * u[t]
		}
	}
	return w
}

// Kernels are told apart as comparing each with all others tells them apart, and the
// classes and factors give them back.
func TestClassesAreWhatComparingAllPairsFinds(t *testing.T) {
	w := planted(40, 7, 9)
	distinct := 0
	for i := range w.ins {
		var first []int
		c := newReader(w).read(i)
		for o := range w.outs {
			k, class := w.at(i, o), -1
			f := 0.0
			for j, u := range first {
				if f = ratio(w.at(i, u), k); f != 0 {
					class = j
					break
				}
			}
			if class < 0 && k[largest(k)] != 0 {
				class, f = len(first), 1
				first = append(first, o)
			}
			if c.of[o] != class || math.Abs(float64(c.factor[o])-f) > 1e-6*math.Abs(f) {
				t.Errorf("channel %d, output %d: class %d times %v, want %d times %v", i, o, c.of[o], c.factor[o], class, f)
			}
		}
		distinct += len(first)
	}
	if all := w.outs * w.ins; distinct > all*3/4 || distinct < all/2 {
		t.Errorf("%d of %d kernels are distinct: not what the test is about", distinct, all)
	}
	for _, threads := range []int{1, 3} {
		sum := 0
		for _, n := range w.count(threads) {
			sum += n
		}
		if sum != distinct {
			t.Errorf("%d threads count %d kernels, want %d", threads, sum, distinct)
		}
	}
}

// Without multiples only the negatives of kernels are shared.
func TestExactClasses(t *testing.T) {
	w := &kernels{outs: 4, ins: 1, taps: 2, data: []float32{1, 2, -1, -2, 0.5, 1, 0, 0}, exact: true}
	c := newReader(w).read(0)
	if len(c.first) != 2 || c.factor[1] != -1 || c.of[2] != 1 || c.of[3] != -1 {
		t.Errorf("%+v", c)
	}
}
