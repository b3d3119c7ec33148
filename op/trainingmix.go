package op

import (
	"fmt"
	"hash/fnv"
)

// mixDef is Mix(x, y): every element is that of x with probability p (0.5, in
// 256ths), else that of y, drawn anew in every step of training (QDrop, [wei22, arXiv:2203.05740]). The reference
// draws as step 0 of the attribute seed (0). Operands have one shape and type.
//
// Gradients go to the operand that was chosen.
var mixDef = Def{
	Name: "Mix", Domain: TrainingDomain, Versions: []int{1}, In: Arity{2, 2}, Out: Arity{1, 1}, Random: true,
	Infer: sameType,
	Eval: func(c *Eval) error {
		x, y := c.Need(0), c.Need(1)
		c.needShape(1, x.Shape...)
		p := float64(c.Node.Float("p", 0.5))
		if x.Type != y.Type {
			return fmt.Errorf("operands %v and %v differ in type", x, y)
		}
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("probability %g is not in [0, 1]", p)
		}
		draws := NewDraws(uint64(c.Node.Int("seed", 0)), c.Node.Name, 0)
		out := c.New(x.Type, x.Shape...)
		for i := range x.Len() {
			from := y
			if draws.Below(i, p) {
				from = x
			}
			copyElems(out, i, from, i, 1)
		}
		c.Set(0, out)
		return nil
	},
}

// Draws are the random numbers of a node in a step of training: element i has
// always the same, so that any part of them can be made at any time.
type Draws uint64

// NewDraws derives the numbers of a node from a seed, its name and the step.
func NewDraws(seed uint64, name string, step uint64) Draws {
	h := fnv.New64a()
	h.Write([]byte(name))
	return Draws(scramble(scramble(seed^h.Sum64()) + step))
}

// Below reports whether element i draws a number below p, in 256ths.
func (d Draws) Below(i int, p float64) bool {
	return d.Eight(i/8)>>(i%8*8)&(drawSteps-1) < Threshold(p)
}

// Threshold is p in 256ths, the nearest.
func Threshold(p float64) uint64 { return uint64(p*drawSteps + 0.5) }

// drawSteps is how fine probabilities are: eight elements share one hash.
const drawSteps = 1 << 8

// Eight are the numbers of elements 8i to 8i+7, a byte each, the first lowest.
func (d Draws) Eight(i int) uint64 { return scramble(uint64(d) + uint64(i)*0x9e3779b97f4a7c15) }

// scramble is the finaliser of SplitMix64 [steele14]: it spreads what differs in few
// bits over all.
func scramble(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
