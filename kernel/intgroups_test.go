package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// groupWeights draws bytes up to largest of both signs, spread as trained weights
// are or of the extremes only.
func groupWeights(r *rand.Rand, n, largest int, normal bool) []int8 {
	w := make([]int8, n)
	for i := range w {
		v := math.Round(r.NormFloat64() * float64(largest) / 3.5)
		if !normal {
			v = float64(largest * (r.IntN(3) - 1))
		}
		w[i] = int8(min(max(v, -float64(largest)), min(float64(largest), 127)))
	}
	return w
}

// TestIntGroups checks what the packer promises: the parts of a panel are its
// weights, and no group of them can leave 16 bits.
func TestIntGroups(t *testing.T) {
	for _, largest := range []int{128, 127, 65, 64, 63, 32, 16, 8, 1, 0} {
		for _, width := range []int{8, 16} {
			for _, quads := range []int{0, 1, 2, 3, 40, 333} {
				for _, normal := range []bool{false, true} {
					t.Run(fmt.Sprint(largest, width, quads, normal), func(t *testing.T) {
						r := seeded(uint64(largest*1000 + quads))
						testIntGroups(t, width, groupWeights(r, quads*width*4, largest, normal))
					})
				}
			}
		}
	}
}

func testIntGroups(t *testing.T, width int, w []int8) {
	p := intPanel{width: width, data: append([]int8(nil), w...)}
	p.group()
	line := 4 * width
	if len(p.data) != len(p.order)*line || p.runs[len(p.runs)-1] != (groupRun{}) {
		t.Fatalf("%d bytes for %d quads, runs %v", len(p.data), len(p.order), p.runs)
	}
	sums := make([]int, len(w))
	at := 0
	for _, run := range p.runs {
		for range run.groups {
			plus, minus := make([]int, line/2), make([]int, line/2)
			for range run.quads {
				for i, v := range p.data[at*line:][:line] {
					sums[int(p.order[at])*line+i/4*4+metBy(run.pairing, i)] += int(v)
					plus[i/2] += max(0, int(v))
					minus[i/2] += max(0, -int(v))
				}
				at++
			}
			for i := range plus {
				if 255*plus[i] > math.MaxInt16 || -255*minus[i] < math.MinInt16 {
					t.Fatalf("a group of %d adds up to %d and -%d in lane %d", run.quads, plus[i], minus[i], i)
				}
			}
		}
	}
	if at != len(p.order) {
		t.Fatalf("runs have %d quads, the panel %d", at, len(p.order))
	}
	for i, sum := range sums {
		if sum != int(w[i]) {
			t.Fatalf("weight %d became %d, want %d", i, sum, w[i])
		}
	}
}

// metBy is which byte of its quad of the source meets weight i of a line.
func metBy(pairing *[32]uint8, i int) int {
	if pairing == nil {
		return i % 4
	}
	return int(pairing[i%16]) % 4
}

// TestIntGroupsGrow holds how few groups the packer needs where weights are small.
func TestIntGroupsGrow(t *testing.T) {
	for _, c := range []struct {
		largest int
		quads   float64 // of a group, at least
	}{{127, 1.3}, {63, 3.5}, {31, 7}, {7, 15}} {
		p := intPanel{width: 16, data: groupWeights(seeded(1), 400*64, c.largest, true)}
		p.group()
		groups := 0
		for _, run := range p.runs {
			groups += int(run.groups)
		}
		if got := float64(len(p.order)) / float64(groups); got < c.quads {
			t.Errorf("weights up to %d: %.2f quads a group, want %g", c.largest, got, c.quads)
		}
	}
}
