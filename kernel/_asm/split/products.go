package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// products is the routine under construction. Registers hold at most so many kernels
// of so many vectors.
type products struct {
	Set
	kernels, vectors int
	src, w, z, chunk reg.GPVirtual
}

func newProducts(s Set) *products {
	if s.Wide() {
		return &products{Set: s, kernels: 6, vectors: 4}
	}
	return &products{Set: s, kernels: 3, vectors: 4}
}

// width emits the walk over chunks.
func (p *products) width(width int) {
	id := fmt.Sprintf("w%d_", width)
	left := field(offNChunks)
	TESTQ(left, left)
	JZ(LabelRef(id + "end"))
	p.w, p.z, p.chunk = field(offWeights), field(offZ), field(offChunks)
	Label(id + "chunk")
	p.src = GP64()
	pitch := field(offPitch)
	MOVLQSX(Mem{Base: p.chunk}, p.src)
	IMULQ(pitch, p.src)
	SHLQ(Imm(2), p.src)
	ADDQ(Mem{Base: args(), Disp: offSrc}, p.src)
	n := GP64()
	MOVLQSX(Mem{Base: p.chunk, Disp: 4}, n)
	for k := 1; k < p.kernels; k++ {
		CMPQ(n, Imm(uint64(k)))
		JEQ(LabelRef(fmt.Sprintf("%sn%d", id, k)))
	}
	for k := p.kernels; k > 0; k-- {
		Label(fmt.Sprintf("%sn%d", id, k))
		p.kernelsOf(fmt.Sprintf("%sn%d_", id, k), k, width/p.Lanes)
		if k > 1 {
			JMP(LabelRef(id + "next"))
		}
	}
	Label(id + "next")
	ADDQ(Imm(16), p.chunk)
	DECQ(left)
	JNZ(LabelRef(id + "chunk"))
	Label(id + "end")
}

// kernelsOf emits the products of n kernels, as many vectors at a time as registers
// hold.
func (p *products) kernelsOf(id string, n, vectors int) {
	end := GP64()
	for at := 0; at < vectors; at += p.vectors {
		w := GP64()
		MOVQ(p.w, w)
		p.tile(fmt.Sprintf("%s%d", id, at), w, n, at, min(p.vectors, vectors-at))
		MOVQ(w, end)
	}
	MOVQ(end, p.w)
	ADDQ(U32(uint32(n*strip)), p.z)
}

// tile emits n kernels of count vectors, from vector first on; w moves behind what
// it reads. It fills the registers, which are named, since the allocator cannot tell
// that accumulators begin anew in every tile.
func (p *products) tile(id string, w reg.Register, n, first, count int) {
	acc, factors, x := make([][]reg.Register, n), make([]reg.Register, n), p.named(n*(count+1))
	for j := range acc {
		factors[j] = p.named(n*count + j)
		for i := range count {
			acc[j] = append(acc[j], p.named(j*count+i))
			p.clear(acc[j][i])
		}
	}
	taps, left := GP64(), GP64()
	MOVLQSX(Mem{Base: p.chunk, Disp: 8}, taps)
	SHLQ(Imm(2), taps)
	ADDQ(Mem{Base: args(), Disp: offTaps}, taps)
	MOVLQSX(Mem{Base: p.chunk, Disp: 12}, left)
	Label(id + "tap")
	at := GP64()
	MOVLQSX(Mem{Base: taps}, at)
	for j, f := range factors {
		VBROADCASTSS(Mem{Base: w, Disp: 4 * j}, f)
	}
	for i := range count {
		VMOVUPS(Mem{Base: p.src, Index: at, Scale: 4, Disp: (first + i) * p.Bytes()}, x)
		for j, f := range factors {
			VFMADD231PS(x, f, acc[j][i])
		}
	}
	ADDQ(Imm(uint64(4*n)), w)
	ADDQ(Imm(4), taps)
	DECQ(left)
	JNZ(LabelRef(id + "tap"))
	for j := range acc {
		for i, v := range acc[j] {
			VMOVUPS(v, Mem{Base: p.z, Disp: j*strip + (first+i)*p.Bytes()})
		}
	}
}

var registers = []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10,
	reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15, reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
	reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}

// named is register i of the set.
func (p *products) named(i int) reg.Register {
	if p.Wide() {
		return registers[i]
	}
	return registers[i].AsY()
}

func (p *products) clear(v reg.Register) {
	if p.Wide() {
		VPXORD(v, v, v)
		return
	}
	VXORPS(v, v, v)
}
