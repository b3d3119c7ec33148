package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pare/kernel"
)

// TestIntPanels compares products of codes with codes with sums of integers.
func TestIntPanels(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		if !kernel.HasIntPanels() {
			t.Skip("no kernel for codes with codes on this machine")
		}
		for _, s := range [][3]int{{1, 1, 1}, {5, 3, 7}, {13, 64, 197}, {50, 197, 64}, {24, 32, 33}, {7, 66, 16}} {
			t.Run(fmt.Sprint(s), func(t *testing.T) { checkIntPanels(t, s[0], s[1], s[2]) })
		}
	})
}

func checkIntPanels(t *testing.T, m, k, n int) {
	r := rand.New(rand.NewPCG(1, uint64(m*k*n)))
	lda, ldb := (k+3)/4*4, n+3
	a, rows, columns := make([]uint8, m*lda), make([]uint8, n*(k+5)), make([]uint8, k*ldb)
	for i := range a {
		a[i] = uint8(r.Uint32())
	}
	for j := range n {
		for i := range k {
			v := uint8(r.Uint32())
			if i >= k-k/9 {
				v = 200
			}
			rows[j*(k+5)+i], columns[i*ldb+j] = v, v
		}
	}
	const zero = 77
	ep := &kernel.IntEpilogue{Mul: make([]float32, n), Add: make([]float32, n)}
	for j := range n {
		ep.Mul[j] = 1
	}
	p, err := kernel.NewIntPanels(k, n)
	if err != nil {
		t.Fatal(err)
	}
	for name, pack := range map[string]func(){
		"rows":    func() { p.PackRows(rows, k-k/9, k+5, zero, 200) },
		"columns": func() { p.PackColumns(columns, k-k/9, ldb, zero, 200) },
	} {
		pack()
		got := make([]float32, m*n)
		p.RunFloat(got, n, a, lda, m, ep, make([]int32, m))
		for i := range m {
			for j := range n {
				want := 0
				for x := range k {
					want += (int(a[i*lda+x]) - zero) * (int(rows[j*(k+5)+x]) - 128)
				}
				if got[i*n+j] != float32(want) {
					t.Fatalf("%s: row %d, column %d: %v, want %d", name, i, j, got[i*n+j], want)
				}
			}
		}
	}
}

// TestCodeSum compares with a plain loop, past what 16 bits hold.
func TestCodeSum(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 197, 1024, 5003} {
		x, want := make([]uint8, n), 0
		for i := range x {
			x[i] = uint8(255 - i%3)
			want += int(x[i])
		}
		if got := kernel.CodeSum(x); got != want {
			t.Errorf("%d codes add up to %d, want %d", n, got, want)
		}
	}
}

// TestSoftmaxU8 compares with the two passes that it stands for.
func TestSoftmaxU8(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, n := range []int{1, 5, 16, 197, 300} {
			r := rand.New(rand.NewPCG(2, uint64(n)))
			x, shares := make([]float32, n), make([]float32, n)
			for i := range x {
				x[i] = 3 * float32(r.NormFloat64())
			}
			c := kernel.NewScales([]kernel.Scale{{Step: 1.0 / 255, Zero: 3, Hi: 255}})
			want, got := make([]uint8, n), make([]uint8, n)
			kernel.Softmax(shares, x, n)
			kernel.QuantizeU8(want, shares, c)
			kernel.SoftmaxU8(got, x, c)
			for i := range got {
				if middle := math.Abs(math.Mod(255*float64(shares[i]), 1)-0.5) < 1e-3; got[i] != want[i] && !middle {
					t.Fatalf("%d of %d: code %d, want %d of %v", i, n, got[i], want[i], shares[i])
				}
			}
		}
	})
}
