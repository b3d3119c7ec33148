package op

import (
	"hash/fnv"
	"math"

	"pare/ir"
)

// twister is the Mersenne Twister MT19937 [matsumoto98], seeded and read the way
// that the operators' published test data were made.
type twister struct {
	state [624]uint32
	at    int
	spare float64
	has   bool
}

func newTwister(seed uint32) *twister {
	t := &twister{at: 624}
	t.state[0] = seed
	for i := 1; i < 624; i++ {
		prev := t.state[i-1]
		t.state[i] = 1812433253*(prev^prev>>30) + uint32(i)
	}
	return t
}

// random is the generator of a node: from its "seed", an integer or a number of
// which the integer part counts, else from the name of its first result, so
// that a model always gives the same.
func random(n *ir.Node) *twister {
	switch s := n.Attr("seed").(type) {
	case int64:
		return newTwister(uint32(s))
	case float32:
		if s == s {
			return newTwister(uint32(int64(s)))
		}
	}
	h := fnv.New32a()
	if len(n.Out) > 0 && n.Out[0] != nil {
		h.Write([]byte(n.Out[0].Name))
	}
	return newTwister(h.Sum32())
}

func (t *twister) uint32() uint32 {
	if t.at == 624 {
		t.refill()
	}
	x := t.state[t.at]
	t.at++
	x ^= x >> 11
	x ^= x << 7 & 0x9d2c5680
	x ^= x << 15 & 0xefc60000
	return x ^ x>>18
}

func (t *twister) refill() {
	s := &t.state
	for i := range s {
		y := s[i]&0x80000000 | s[(i+1)%624]&0x7fffffff
		x := s[(i+397)%624] ^ y>>1
		if y&1 != 0 {
			x ^= 0x9908b0df
		}
		s[i] = x
	}
	t.at = 0
}

// uniform is a number in [0, 1) of 53 random bits.
func (t *twister) uniform() float64 {
	a, b := t.uint32()>>5, t.uint32()>>6
	return (float64(a)*0x1p26 + float64(b)) / 0x1p53
}

// normal is a number of the standard normal distribution, by Marsaglia's polar
// method.
func (t *twister) normal() float64 {
	if t.has {
		t.has = false
		return t.spare
	}
	for {
		x, y := 2*t.uniform()-1, 2*t.uniform()-1
		r := float64(x*x) + float64(y*y)
		if r >= 1 || r == 0 {
			continue
		}
		f := math.Sqrt(-2 * math.Log(r) / r)
		t.spare, t.has = f*x, true
		return f * y
	}
}
