// Command winograd generates the transforms of Winograd's convolutions of 3x3
// filters, for tiles of 4x4 and of 2x2 output pixels. Vectors lie along the
// channels, so a transform is a fixed net of sums over whole registers.
//
// Rows are transformed first, for as many columns (or rows) of the result at a
// time as stay in registers until the other direction follows.
package main

import (
	. "github.com/mmcloughlin/avo/build"

	. "pare-asm/vec"
)

// form is one size of tile.
type form struct {
	m int // edge of the output tile; the input tile is two wider
	// in emits the wanted results of the input transform of one line, and out
	// those of the output transform, handing each to its sink.
	in  func(e *emitter, want []int, d source, to sink)
	out func(e *emitter, want []int, d source, to sink)
	// inParts and outParts are the results computed together.
	inParts, outParts map[bool][][]int // by whether registers are many
}

// source is value i of a line, which must not be changed.
type source func(i int) Reg

// sink takes result i of a line.
type sink func(i int, v Reg)

var forms = []form{
	{m: 4, in: in4, out: out4,
		inParts:  map[bool][][]int{true: {{0, 1, 2}, {3, 4, 5}}, false: {{1, 2}, {3, 4}, {0, 5}}},
		outParts: map[bool][][]int{true: {{0, 1, 2, 3}}, false: {{0, 2}, {1, 3}}}},
	{m: 2, in: in2, out: out2,
		inParts:  map[bool][][]int{true: {{0, 1, 2, 3}}, false: {{0, 1}, {2, 3}}},
		outParts: map[bool][][]int{true: {{0, 1}}, false: {{0, 1}}}},
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range Sets {
		for _, f := range forms {
			transform(s, f.m, f.input())
			output(s, f)
			filter(s, f.m)
			transform(s, f.m, f.spread())
			transform(s, f.m, f.gather())
		}
	}
	Generate()
}
