package kernel

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"pare/internal/cpu"
	"pare/internal/guard"
)

// covered lists the rows that tests have run.
var covered = map[string]bool{}

// CoverTile notes that the tile which is picked now has been tested.
func CoverTile() { covered["tile/"+pickTile().name] = true }

// CoverOuter is CoverTile for sums of outer products.
func CoverOuter() { covered["outer/"+pickOuter().name] = true }

// CoverLow is CoverTile for products of codes.
func CoverLow() { covered["low/"+pickLowTile().name] = true }

// CoverSplit is CoverTile for convolutions of shared slices.
func CoverSplit() { covered["split/"+pickSplit().name] = true }

// TestMain fails a whole run that left out a row which this machine has.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	whole := true
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		whole = whole && flag.Lookup(name).Value.String() == ""
	}
	for _, r := range Table() {
		if name := r.Family + "/" + r.Name; code == 0 && whole && r.Runs && !covered[name] {
			fmt.Printf("FAIL: no test ran row %s\n", name)
			code = 1
		}
	}
	os.Exit(code)
}

// eachImpl runs a test for every row of a table that the machine has.
func eachImpl[F any](t *testing.T, family string, rows []impl[F], f func(t *testing.T, run F)) {
	// Read here, so that cached results depend on it.
	limit := os.Getenv("PARE_CPU")
	for _, r := range rows {
		t.Run(family+"/"+r.name, func(t *testing.T) {
			if !cpu.Has(r.needs) {
				t.Skipf("SKIPPED: this machine, or PARE_CPU=%s, has no %v", limit, r.needs)
			}
			f(t, r.run)
			covered[family+"/"+r.name] = true
		})
	}
}

// portable is the last row, the reference of the others.
func portable[F any](rows []impl[F]) F { return rows[len(rows)-1].run }

// lengths leave every kind of rest behind the loops, and pass their largest
// stride several times.
func lengths() []int {
	var n []int
	for i := 1; i <= 67; i++ {
		n = append(n, i)
	}
	return append(n, 127, 128, 131, 200, 259)
}

var (
	nan      = float32(math.NaN())
	denormal = math.Float32frombits(77)
	negZero  = math.Float32frombits(1 << 31)
	// odd values that every element-wise loop must get right.
	odd = []float32{0, negZero, nan, inf, -inf, denormal, -denormal, math.MaxFloat32, -math.MaxFloat32, 1.1754944e-38, -1, 1}
)

// tail returns n values in [-scale, scale) that end at an unmapped page; with
// strange set some are odd.
func tail(t testing.TB, r *rand.Rand, n int, scale float32, strange bool) []float32 {
	s := guard.Tail[float32](t, n)
	for i := range s {
		s[i] = (2*r.Float32() - 1) * scale
		if strange && r.IntN(4) == 0 {
			s[i] = odd[r.IntN(len(odd))]
		}
	}
	return s
}

func seeded(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, 11)) }

// bitsEqual fails where got and want differ in a bit; all NaN are one.
func bitsEqual(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, g := range got {
		w := want[i]
		if math.Float32bits(g) != math.Float32bits(w) && !(g != g && w != w) {
			t.Fatalf("%s: element %d of %d is %v (%#x), want %v (%#x)", what, i, len(got), g, math.Float32bits(g), w, math.Float32bits(w))
		}
	}
}

// SameWeights reports whether packed weights are the same, padding included.
func SameWeights(a, b *ConvWeights) bool {
	for g := range a.group {
		if !slices.Equal(a.group[g].data, b.group[g].data) {
			return false
		}
	}
	return len(a.group) == len(b.group)
}

// SameWinogradWeights is SameWeights for Winograd's form.
func SameWinogradWeights(a, b *WinogradWeights) bool { return slices.Equal(a.data, b.data) }

// NewConvWeightGradBy plans a weight gradient in Winograd's form, or in the direct one
// where m is 0.
func NewConvWeightGradBy(s ConvShape, m int) (*ConvWeightGrad, error) {
	if m > 0 {
		return newConvWeightGradBy(s, m)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return &ConvWeightGrad{s: s, plan: newTapGrad(s)}, nil
}
