package vec

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Blocks of a kernel.stepTree of words, in bytes.
const (
	wordHalf   = 128
	wordValues = 192
	wordMore   = 256
	wordBlock  = 64
)

// Words finds the values of steps, 32 words at a time, for AVX-512.
type Words struct {
	// Order puts bytes that were packed from four vectors into their order, by
	// VPERMD.
	Order   Mem
	weights [5]Mem // blocks of the words 16, 8, 4, 2 and 1
}

// NewWords adds the constants to the file, under names that begin with prefix.
func NewWords(prefix string) *Words {
	w := &Words{Order: GLOBL(prefix+"LanesToRows", RODATA|NOPTR)}
	for i := range 16 {
		DATA(4*i, U32(i%4*4+i/4))
	}
	for i := range w.weights {
		w.weights[i] = GLOBL(fmt.Sprintf("%sWords%d", prefix, 16>>i), RODATA|NOPTR)
		for j := range 16 {
			DATA(4*j, U32(0x10001*(16>>i)))
		}
	}
	return w
}

// Find returns the values of the steps in vectors of words; its labels begin with
// name. It spoils more, the number of groups behind the first.
func (w *Words) Find(name string, tree, more reg.Register, words []Reg) (y []Reg) {
	// atLeast is a comparison without sign.
	atLeast := Imm(5)
	var at []Reg
	hit := make([]reg.OpmaskVirtual, len(words))
	for i, x := range words {
		at, hit[i] = append(at, ZMM()), K()
		VPCMPUW(atLeast, Mem{Base: tree, Disp: wordHalf}, x, hit[i])
		VMOVDQU16_Z(w.weights[0], hit[i], at[i])
	}
	for b := 1; b < len(w.weights); b++ {
		for i, x := range words {
			t := ZMM()
			VPERMW(Mem{Base: tree, Disp: 2 * (16 >> b)}, at[i], t)
			VPCMPUW(atLeast, t, x, hit[i])
			VPADDW(w.weights[b], at[i], hit[i], at[i])
		}
	}
	for i := range words {
		y = append(y, ZMM())
		VPERMW(Mem{Base: tree, Disp: wordValues}, at[i], y[i])
	}
	p := GP64()
	TESTQ(more, more)
	JZ(LabelRef(name + "_found"))
	LEAQ(Mem{Base: tree, Disp: wordMore}, p)
	Label(name + "_more")
	for i, x := range words {
		t := ZMM()
		VPERMW(Mem{Base: p}, at[i], t)
		VPCMPUW(atLeast, t, x, hit[i])
		VPERMW(Mem{Base: p, Disp: wordBlock}, at[i], hit[i], y[i])
	}
	ADDQ(U32(2*wordBlock), p)
	DECQ(more)
	JNZ(LabelRef(name + "_more"))
	Label(name + "_found")
	return y
}
