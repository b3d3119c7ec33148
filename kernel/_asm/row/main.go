// Command row generates the reductions of softmax and layer normalisation.
package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// begin opens a routine that ends with a number.
func begin(s Set, name, signature, doc string) {
	TEXT(name+s.Name, NOSPLIT, signature)
	Doc(name + s.Name + " " + doc)
	Pragma("noescape")
}

func finish(result Reg) {
	Store(result.AsX(), ReturnIndex(0))
	VZEROUPPER()
	RET()
}

func base(name string) reg.Register { return Load(Param(name).Base(), GP64()) }

func count(name string) reg.Register { return Load(Param(name).Len(), GP64()) }

func add(v, acc Reg) { VADDPS(v, acc, acc) }

// max passes over NaN in v: it stands first (Intel order).
func max(v, acc Reg) { VMAXPS(acc, v, acc) }

// single is a step of one vector.
func single(f func(at At, j int, acc Reg, t *Tail)) Step {
	return func(at At, j int, acc []Reg, t *Tail) { f(at, j, acc[0], t) }
}

func rowMax(s Set) {
	begin(s, "rowMax", "func(src []float32) float32", "is the largest element, passing over NaN.")
	n, src := count("src"), base("src")
	finish(s.Reduce(n, 1, func() Reg { return s.Const(float32(math.Inf(-1))) },
		single(func(at At, j int, acc Reg, t *Tail) {
			x := s.Load(at.Floats(src, j), t)
			s.Merge(x, acc, t)
			max(x, acc)
		}), max))
}

// rowSize is ordered by bits, as magnitudes are, with NaN on top.
func rowSize(s Set) {
	begin(s, "rowSize", "func(src []float32) float32", "is the largest magnitude.")
	n, src, mask := count("src"), base("src"), s.Bits(1<<31-1)
	larger := func(v, acc Reg) { VPMAXSD(v, acc, acc) }
	finish(s.Reduce(n, 1, s.Zero, single(func(at At, j int, acc Reg, t *Tail) {
		x := s.Load(at.Floats(src, j), t)
		VANDPS(mask, x, x)
		larger(x, acc)
	}), larger))
}

func rowSum(s Set) {
	begin(s, "rowSum", "func(src []float32) float32", "is the sum of the elements.")
	n, src := count("src"), base("src")
	finish(s.Reduce(n, 1, s.Zero, single(func(at At, j int, acc Reg, t *Tail) {
		add(s.Load(at.Floats(src, j), t), acc)
	}), add))
}

func variance(s Set) {
	begin(s, "variance", "func(src []float32, x float32) float32", "is the sum of squares of src-x.")
	n, src, mean := count("src"), base("src"), s.Param("x")
	finish(s.Reduce(n, 1, s.Zero, single(func(at At, j int, acc Reg, t *Tail) {
		d := s.Load(at.Floats(src, j), t)
		VSUBPS(mean, d, d)
		s.Keep(d, t)
		VFMADD231PS(d, d, acc)
	}), add))
}

func expSum(s Set) {
	begin(s, "expSum", "func(dst, src []float32, x float32) float32", "writes the exponentials of src-x and returns their sum.")
	n, dst, src := count("dst"), base("dst"), base("src")
	finish(s.Reduce(n, s.Lanes/4, s.Zero, func(at At, j int, acc []Reg, t *Tail) {
		x := s.Param("x")
		var e []Reg
		for i := range acc {
			e = append(e, s.Load(at.Floats(src, j+i), t))
			VSUBPS(x, e[i], e[i])
		}
		s.Exp(e)
		for i, a := range acc {
			s.Store(e[i], at.Floats(dst, j+i), t)
			s.Keep(e[i], t)
			add(e[i], a)
		}
	}, add))
}

// normalize rounds after every operation, like the portable row.
func normalize(s Set) {
	begin(s, "normalize", "func(dst, src, gamma, beta []float32, mean, rstd float32)", "writes (src-mean)·rstd·gamma + beta; beta may be nil.")
	n, dst, src, gamma, beta := count("dst"), base("dst"), base("src"), base("gamma"), base("beta")
	mean, rstd := s.Param("mean"), s.Param("rstd")
	loop := func(label string, shifted bool) {
		s.Loop(label, n, 4, func(at At, u int, t *Tail) {
			for j := range u {
				x := s.Load(at.Floats(src, j), t)
				VSUBPS(mean, x, x)
				VMULPS(rstd, x, x)
				VMULPS(s.Load(at.Floats(gamma, j), t), x, x)
				if shifted {
					VADDPS(s.Load(at.Floats(beta, j), t), x, x)
				}
				s.Store(x, at.Floats(dst, j), t)
			}
		})
		VZEROUPPER()
		RET()
	}
	TESTQ(beta, beta)
	JZ(LabelRef("plain"))
	loop("shifted_loop", true)
	Label("plain")
	loop("plain_loop", false)
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range Sets {
		rowMax(s)
		rowSize(s)
		rowSum(s)
		variance(s)
		expSum(s)
		normalize(s)
	}
	Generate()
}
