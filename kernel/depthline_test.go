package kernel

import (
	"fmt"
	"testing"

	"pare/internal/cpu"
)

// lineCases have every window and distance that lines take, borders of all kinds,
// and channels that leave a rest behind the blocks.
var lineCases = []ConvShape{
	{N: 2, H: 9, W: 8, C: 32, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1},
	{N: 1, H: 7, W: 9, C: 72, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadT: 1, PadL: 1, PadB: 1, PadR: 1},
	{N: 1, H: 8, W: 6, C: 40, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadB: 1, PadR: 1},
	{N: 2, H: 7, W: 7, C: 33, KH: 5, KW: 5, PadT: 2, PadL: 2, PadB: 2, PadR: 2},
	{N: 1, H: 11, W: 14, C: 56, KH: 5, KW: 5, StrideH: 2, StrideW: 2, PadT: 1, PadL: 1, PadB: 2, PadR: 2},
	{N: 1, H: 9, W: 7, C: 64, KH: 5, KW: 5, StrideH: 1, StrideW: 2, PadT: 2, PadL: 4, PadB: 4, PadR: 7},
	{N: 1, H: 6, W: 5, C: 47, KH: 3, KW: 3, StrideH: 3, StrideW: 1, SrcStride: 50, DstStride: 61, ResStride: 48},
	{N: 1, H: 1, W: 1, C: 35, KH: 5, KW: 5, PadT: 2, PadL: 2, PadB: 2, PadR: 2},
	{N: 3, H: 2, W: 2, C: 32, KH: 3, KW: 3, PadT: 3, PadL: 3, PadB: 3, PadR: 3},
	{N: 1, H: 30, W: 60, C: 96, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1},
}

// TestDepthLines compares lines with the sums that define them; what they do not
// take goes to tiles beside them.
func TestDepthLines(t *testing.T) {
	for i := range archDepthLines {
		l := &archDepthLines[i]
		t.Run(l.name, func(t *testing.T) {
			if !cpu.Has(l.needs) {
				t.Skipf("SKIPPED: this machine, or PARE_CPU, has no %v", l.needs)
			}
			for i, s := range lineCases {
				s.Groups, s.O = s.C, s.C
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					testIntConvOf(t, s, 127, func(s ConvShape, w []int8, zero uint8) *IntWeights {
						p := pickIntTile(intDepthTiles).pack(s, w, zero)
						p.line = l.weights(&s, w, zero)
						if planLines(&s, p).run == nil {
							t.Fatal("lines do not take the shape")
						}
						return p
					})
				})
			}
			covered["depthline/"+l.name] = true
		})
	}
}

// TestDepthLinesPicked holds which shapes are computed by lines.
func TestDepthLinesPicked(t *testing.T) {
	if len(archDepthLines) == 0 || pickDepthLine(16) == nil {
		t.Skip("SKIPPED: no row for this machine, or PARE_CPU")
	}
	for _, c := range []struct {
		s     ConvShape
		lines bool
	}{
		{ConvShape{N: 1, H: 9, W: 9, C: 16, KH: 3, KW: 3}, true},
		{ConvShape{N: 1, H: 9, W: 9, C: 15, KH: 3, KW: 3}, false},
		{ConvShape{N: 1, H: 9, W: 9, C: 32, KH: 3, KW: 5}, false},
		{ConvShape{N: 1, H: 9, W: 9, C: 32, KH: 7, KW: 7}, false},
		{ConvShape{N: 1, H: 9, W: 9, C: 32, KH: 3, KW: 3, DilH: 2}, false},
		{ConvShape{N: 1, H: 9, W: 9, C: 32, KH: 3, KW: 3, StrideW: 3}, false},
	} {
		c.s.Groups, c.s.O = c.s.C, c.s.C
		w, err := PackIntConv(c.s, make([]int8, c.s.C*c.s.KH*c.s.KW), 3)
		if err != nil {
			t.Fatal(err)
		}
		conv, err := NewIntConv(c.s, w)
		if err != nil {
			t.Fatal(err)
		}
		if got := conv.line.run != nil; got != c.lines {
			t.Errorf("%+v: lines %v", c.s, got)
		}
	}
}
