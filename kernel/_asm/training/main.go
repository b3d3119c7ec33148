// Command training generates the loops of training: sums over pixels, the
// normalisation of batches and its gradient, and the steps of optimisers. What ends in
// a table of exact rows rounds after every operation, like the portable rows.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

func begin(s Set, name, signature, doc string) {
	TEXT(name+s.Name, NOSPLIT, signature)
	Doc(name + s.Name + " " + doc)
	Pragma("noescape")
}

func end() {
	VZEROUPPER()
	RET()
}

func base(name string) reg.GPVirtual { return Load(Param(name).Base(), GP64()).(reg.GPVirtual) }

func count(name string) reg.GPVirtual { return Load(Param(name).Len(), GP64()).(reg.GPVirtual) }

func loads(s Set, at At, from reg.Register, u int, t *Tail) []Reg {
	var x []Reg
	for j := range u {
		x = append(x, s.Load(at.Floats(from, j), t))
	}
	return x
}

// flag tests a parameter and jumps where it is not set.
func flag(name, unset string) {
	f := Load(Param(name), GP8())
	TESTB(f, f)
	JZ(LabelRef(unset))
}

// between clears the lanes of g where lo < y < hi does not hold; y is lost.
func between(s Set, y, lo, hi, g Reg) {
	const less = 17 // ordered, quiet
	if s.Wide() {
		k := K()
		VCMPPS(Imm(less), y, lo, k)
		VCMPPS(Imm(less), hi, y, k, k)
		VMOVAPS_Z(g, k, g)
		return
	}
	t := s.New()
	VCMPPS(Imm(less), y, lo, t)
	VCMPPS(Imm(less), hi, y, y)
	VANDPS(t, g, g)
	VANDPS(y, g, g)
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range Sets {
		moments(s)
		totals(s)
		normGradSums(s)
		normRows(s)
		normGrad(s)
		clampGrad(s)
		addScaled(s)
		descent(s)
		adam(s)
		adamax(s)
	}
	Generate()
}
