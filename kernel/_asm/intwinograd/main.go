// Command intwinograd generates the transforms of Winograd's convolutions of
// 3x3 filters on integers: of codes into words, and of sums modulo 2³² into
// those of the convolution. Vectors lie along the channels.
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
	// in and out emit the wanted results of a transform of one line of vectors of
	// words and of 32 bits, and hand each to its sink.
	in, out func(e *emitter, want []int, d source, to sink)
	// inParts and outParts are the results computed together.
	inParts, outParts map[bool][][]int // by whether registers are many
	// power is the power of two that row, or column, i of the result is multiplied
	// by, besides three where the form has that factor.
	power []int
	three bool
}

// source is value i of a line, which must not be changed.
type source func(i int) Reg

// sink takes result i of a line.
type sink func(i int, v Reg)

var forms = []form{
	{m: 4, in: in4, out: out4, power: []int{3, 2, 1, 1}, three: true,
		inParts:  map[bool][][]int{true: {{0, 1, 2}, {3, 4, 5}}, false: {{1, 2}, {3, 4}, {0, 5}}},
		outParts: map[bool][][]int{true: {{0, 1, 2, 3}}, false: {{0, 2}, {1, 3}}}},
	{m: 2, in: in2, out: out2, power: []int{1, 1},
		inParts:  map[bool][][]int{true: {{0, 1, 2, 3}}, false: {{0, 1}, {2, 3}}},
		outParts: map[bool][][]int{true: {{0, 1}}, false: {{0, 1}}}},
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range Sets {
		for _, f := range forms {
			input(s, f)
			output(s, f)
		}
	}
	Generate()
}
