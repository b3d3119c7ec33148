// Command expand generates the routines that spread the numbers of a row over
// the lanes that a mask names.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pare-asm/vec"
)

// Offsets in kernel.expandArgs.
const (
	offDst  = 0
	offSrc  = 24
	offLDD  = 48
	offLDS  = 56
	offRows = 64
	offMask = 72
	offAdd  = 76
)

// lanes is how many numbers of a row are written.
const lanes = 16

// routine emits a loop over rows; ready returns what reads the vectors of a row.
func routine(s vec.Set, ready func(a reg.Register) func(src reg.Register) []vec.Reg) {
	TEXT("expand"+s.Name, NOSPLIT, "func(a *byte)")
	Doc("expand" + s.Name + " spreads rows over the lanes that a mask names.")
	Pragma("noescape")
	a := Load(Param("a"), GP64())
	field := func(off int) reg.GPVirtual {
		r := GP64()
		MOVQ(Mem{Base: a, Disp: off}, r)
		return r
	}
	dst, src, ldd, lds, n := field(offDst), field(offSrc), field(offLDD), field(offLDS), field(offRows)
	SHLQ(Imm(2), ldd)
	SHLQ(Imm(2), lds)
	row := ready(a)
	CMPB(Mem{Base: a, Disp: offAdd}, Imm(0))
	JNE(LabelRef("sums"))
	loop := func(label string, sum bool) {
		Label(label)
		for j, v := range row(src) {
			to := Mem{Base: dst, Disp: j * s.Bytes()}
			if sum {
				VADDPS(to, v, v)
			}
			VMOVUPS(v, to)
		}
		ADDQ(lds, src)
		ADDQ(ldd, dst)
		DECQ(n)
		JNZ(LabelRef(label))
		VZEROUPPER()
		RET()
	}
	loop("rows", false)
	loop("sums", true)
}

// expand512 has an instruction for it.
func expand512(a reg.Register) func(src reg.Register) []vec.Reg {
	bits, k := GP32(), K()
	MOVL(Mem{Base: a, Disp: offMask}, bits)
	KMOVW(bits, k)
	return func(src reg.Register) []vec.Reg {
		v := ZMM()
		VEXPANDPS_Z(Mem{Base: src}, k, v)
		return []vec.Reg{v}
	}
}

// expand2 permutes eight numbers at a time and clears lanes without any. It
// reads eight numbers wherever a row has some.
func expand2(a reg.Register) func(src reg.Register) []vec.Reg {
	table := GLOBL("expandLanes", RODATA|NOPTR)
	for bits := range 256 {
		at, row := uint64(0), uint64(0)
		for l := range 8 {
			if bits>>l&1 == 0 {
				row |= 0x80 << (8 * l)
				continue
			}
			row |= at << (8 * l)
			at++
		}
		DATA(8*bits, U64(row))
	}
	lanes, bits, upper := GP64(), GP32(), GP32()
	LEAQ(table, lanes)
	MOVL(Mem{Base: a, Disp: offMask}, bits)
	MOVL(bits, upper)
	SHRL(Imm(8), upper)
	ANDL(Imm(0xff), upper)
	ANDL(Imm(0xff), bits)
	var order, none [2]reg.VecVirtual
	for j, b := range []reg.GPVirtual{bits, upper} {
		order[j], none[j] = YMM(), YMM()
		VPMOVSXBD(Mem{Base: lanes, Index: b.As64(), Scale: 8}, order[j])
		VPSRAD(Imm(31), order[j], none[j])
	}
	first := GP64()
	POPCNTL(bits, bits)
	MOVL(bits, first.As32())
	return func(src reg.Register) []vec.Reg {
		var out []vec.Reg
		for j, m := range []Mem{{Base: src}, {Base: src, Index: first, Scale: 4}} {
			v := YMM()
			VPERMPS(m, order[j], v)
			VANDNPS(v, none[j], v)
			out = append(out, v)
		}
		return out
	}
}

func main() {
	ConstraintExpr("!noasm")
	routine(vec.AVX512, expand512)
	routine(vec.AVX2, expand2)
	Generate()
}
