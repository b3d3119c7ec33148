package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// Blocks of a kernel.stepTree of eight floats, in bytes.
const (
	treeHalf   = 64
	treeValues = 96
	treeMore   = 128
	treeBlock  = 32
)

// atLeast is a comparison that NaN fails.
var atLeast = Imm(0x1d)

// finder finds values by a tree of floats.
type finder struct {
	tree, more reg.Register
	half       Reg
	weights    [3]Reg // 4, 2 and 1 in every lane
}

// find returns the values at u; labels of its loop begin with name.
func (f *finder) find(name string, u []Reg) []Reg {
	at, y := AVX2.Group(len(u)), AVX2.Group(len(u))
	for i, x := range u {
		VCMPPS(atLeast, f.half, x, at[i])
		VPAND(f.weights[0], at[i], at[i])
	}
	for b := 1; b < len(f.weights); b++ {
		for i, x := range u {
			t := YMM()
			VPERMPS(Mem{Base: f.tree, Disp: 4 * (4 >> b)}, at[i], t)
			VCMPPS(atLeast, t, x, t)
			VPAND(f.weights[b], t, t)
			VPADDD(t, at[i], at[i])
		}
	}
	for i := range u {
		VPERMD(Mem{Base: f.tree, Disp: treeValues}, at[i], y[i])
	}
	p, left := GP64(), GP64()
	MOVQ(f.more, left)
	TESTQ(left, left)
	JZ(LabelRef(name + "_found"))
	LEAQ(Mem{Base: f.tree, Disp: treeMore}, p)
	Label(name + "_more")
	for i, x := range u {
		t, v := YMM(), YMM()
		VPERMPS(Mem{Base: p}, at[i], t)
		VCMPPS(atLeast, t, x, t)
		VPERMD(Mem{Base: p, Disp: treeBlock}, at[i], v)
		VBLENDVPS(t, v, y[i], y[i])
	}
	ADDQ(Imm(2*treeBlock), p)
	DECQ(left)
	JNZ(LabelRef(name + "_more"))
	Label(name + "_found")
	return y
}

// narrow emits the routine for AVX2, which compares floats. It cannot mask
// bytes, and leaves the ends of rows to its caller.
func narrow() {
	TEXT("stepsAVX2", NOSPLIT, "func(a *byte)")
	Doc("stepsAVX2 writes the values of the first cols/8*8 columns of a matrix, by a tree of eight floats.")
	Pragma("noescape")
	a := fields(AVX2)
	f := &finder{tree: a.tree, more: a.more, half: YMM()}
	VMOVUPS(Mem{Base: a.tree, Disp: treeHalf}, f.half)
	for b := range f.weights {
		f.weights[b] = AVX2.Bits(uint32(4 >> b))
	}
	names := []string{"one", "both"}
	Label("row")
	AVX2.Whole("cols", a.cols, 2, func(at At, u int, _ *Tail) {
		var x []Reg
		for j := range u {
			v := AVX2.Load(at.Floats(a.src, j), nil)
			VMULPS(a.factor, v, v)
			VADDPS(a.offset, v, v)
			x = append(x, v)
		}
		for j, v := range f.find(names[u-1], x) {
			hi := XMM()
			VEXTRACTI128(Imm(1), v, hi)
			VPACKUSDW(hi, v.AsX(), hi)
			VPACKUSWB(hi, hi, hi)
			VMOVQ(hi, at.Bytes(a.dst, j))
		}
	})
	a.step()
}
