package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pare/internal/guard"
)

// TestExpand: lanes of the mask get the numbers of a row in turn, others 0.
func TestExpand(t *testing.T) {
	eachImpl(t, "expand", expandLoops, func(t *testing.T, run expandLoop) {
		r := seeded(6)
		for _, mask := range []uint32{0, 1, 0x8000, 0xffff, 0x00ff, 0xff00, 0x5a5a, 0x0180, r.Uint32() & 0xffff, r.Uint32() & 0xffff} {
			for _, rows := range []int{1, 2, 7} {
				const ldd, lds = 24, 19
				src, dst := tail(t, r, (rows-1)*lds+expandLanes, 5, false), tail(t, r, (rows-1)*ldd+expandLanes, 5, false)
				for _, add := range []bool{false, true} {
					want := slices.Clone(dst)
					for row := range rows {
						k := 0
						for l := range expandLanes {
							v := float32(0)
							if mask>>l&1 != 0 {
								v = src[row*lds+k]
								k++
							}
							if add {
								v += dst[row*ldd+l]
							}
							want[row*ldd+l] = v
						}
					}
					run(&expandArgs{dst: dst, src: src, ldd: ldd, lds: lds, rows: rows, mask: mask, add: add})
					bitsEqual(t, fmt.Sprintf("mask %#x, %d rows, add %v", mask, rows, add), dst, want)
				}
			}
		}
	})
}

// TestIntStack compares weights of several orders with the definition, for every
// tile, with orders on all rows, some, and one.
func TestIntStack(t *testing.T) {
	wide := []ConvShape{
		{N: 1, H: 5, W: 4, C: 24, KH: 1, KW: 1, O: 300},
		{N: 2, H: 9, W: 6, C: 8, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, Groups: 2, O: 290, DstStride: 300, ResStride: 291},
		{N: 1, H: 3, W: 3, C: 128, KH: 1, KW: 1, O: 1024},
	}
	eachIntTile(t, "inttile", intTiles, func(t *testing.T, tile *intTile) {
		for i, s := range append(wide, intCases...) {
			if i%2 == 1 && i > len(wide) {
				continue // TestIntConv runs all
			}
			t.Run(fmt.Sprint(i), func(t *testing.T) { testIntStack(t, tile, s) })
		}
	})
	eachIntTile(t, "intdepthwise", intDepthTiles, func(t *testing.T, tile *intTile) {
		for i, s := range intDepthCases {
			t.Run(fmt.Sprint(i), func(t *testing.T) { testIntStack(t, tile, s) })
		}
	})
}

func testIntStack(t *testing.T, tile *intTile, s ConvShape) {
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	r := seeded(uint64(s.O))
	largest := 127
	zero, per := uint8(77), s.C/s.Groups*s.KH*s.KW
	src := tailBytes(t, r, extent(s.N*s.H*s.W, s.C, s.SrcStride))
	w := extremeWeights(r, s.O*per, largest)
	weights := tile.pack(s, w, zero)
	orders := intOrders(r, s.O, per, largest)
	weights.stack = tile.stack(s, weights, orders)
	conv, err := NewIntConv(s, weights)
	if err != nil {
		t.Fatal(err)
	}
	scratch := guard.Tail[uint8](t, (conv.ScratchBytes()+3)&^3)
	pixels := s.N * s.OH() * s.OW()
	var mul [][]float32
	var sums [][]int32
	for _, o := range orders {
		mul = append(mul, tail(t, r, s.O, 0.01, false))
		dense := make([]int8, len(w))
		for i := range s.O {
			if at := o.find(i); at >= 0 {
				copy(dense[i*per:(i+1)*per], o.W[at*per:])
			}
		}
		sums = append(sums, intSums(s, src, dense, zero))
	}
	first := intSums(s, src, w, zero)
	for name, e := range intEpilogues(t, r, s, pixels, largest) {
		e.Stack = weights.StackMul(mul)
		each := func(f func(i int, sum int32, extra []float32, o, p int)) {
			for p := range pixels {
				for o := range s.O {
					var extra []float32
					for k := range orders {
						if orders[k].find(o) >= 0 {
							extra = append(extra, float32(sums[k][p*s.O+o])*mul[k][o])
						}
					}
					f(p*s.DstStride+o, first[p*s.O+o], extra, o, p)
				}
			}
		}
		testIntEnd(t, name, conv, src, &e, scratch, each, extent(pixels, s.O, s.DstStride))
	}
}

// intOrders are an order on about half of the rows, one on all, one on the last
// row and one on none in the middle.
func intOrders(r *rand.Rand, o, per, largest int) []IntOrder {
	var half, ends []int
	for i := range o {
		if r.IntN(2) == 0 {
			half = append(half, i)
		}
		if i < o/3 || i == o-1 {
			ends = append(ends, i)
		}
	}
	var out []IntOrder
	for _, rows := range [][]int{half, nil, {o - 1}, ends} {
		n := len(rows)
		if rows == nil {
			n = o
		}
		out = append(out, IntOrder{Rows: rows, W: extremeWeights(r, n*per, largest)})
	}
	return out
}

// TestIntStackRefused: orders that do not fit the convolution are errors.
func TestIntStackRefused(t *testing.T) {
	s := ConvShape{C: 2, O: 3, KH: 1, KW: 1}
	for name, o := range map[string]IntOrder{
		"descending":   {Rows: []int{1, 0}, W: make([]int8, 4)},
		"beyond":       {Rows: []int{3}, W: make([]int8, 2)},
		"too few":      {Rows: []int{0, 2}, W: make([]int8, 3)},
		"no rows":      {Rows: []int{}, W: nil},
		"none for all": {W: make([]int8, 4)},
	} {
		if _, err := PackIntStack(s, make([]int8, 6), []IntOrder{o}, 0); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
