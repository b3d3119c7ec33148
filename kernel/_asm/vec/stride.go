package vec

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Stride addresses multiples 0 to 5 of a distance.
type Stride struct{ one, three, five reg.GPVirtual }

// NewStride multiplies a number by n bytes.
func NewStride(number Op, n int) Stride {
	s := Stride{GP64(), GP64(), GP64()}
	MOVQ(number, s.one)
	IMUL3Q(U32(uint32(n)), s.one, s.one)
	LEAQ(Mem{Base: s.one, Index: s.one, Scale: 2}, s.three)
	LEAQ(Mem{Base: s.one, Index: s.one, Scale: 4}, s.five)
	return s
}

// One is the distance.
func (s Stride) One() reg.GPVirtual { return s.one }

// At is i times the distance behind base.
func (s Stride) At(base reg.Register, i int) Mem {
	switch i {
	case 0:
		return Mem{Base: base}
	case 3:
		return Mem{Base: base, Index: s.three, Scale: 1}
	case 5:
		return Mem{Base: base, Index: s.five, Scale: 1}
	}
	return Mem{Base: base, Index: s.one, Scale: uint8(i)}
}

// Argument is where the caller of the routine left a parameter.
func Argument(name string) Mem {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}
