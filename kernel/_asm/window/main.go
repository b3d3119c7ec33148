// Command window generates the loops over windows: depthwise convolution and
// pooling. Vectors lie along the channels. Up to six pixels of one or two vectors
// pass over the taps together, so that a tap's weights are read once for all.
// Where windows one column apart have rows of three or five neighbouring taps, as
// in most depthwise layers, pixels share what they read of the source, too.
package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "pare-asm/vec"
)

// reduction is what differs between the families.
type reduction struct {
	name string
	// start returns the first value of an accumulator.
	start func(l *loop) Reg
	// step accumulates m, times w where the family has weights.
	step     func(l *loop, m Mem, w, acc Reg, t *Tail)
	weighted bool
	finish   func(l *loop, acc [][]Reg, tails []*Tail, id string)
}

// depthwise starts from the bias and ends with residual and clamp.
var depthwise = &reduction{
	name:     "depthwise",
	weighted: true,
	start:    func(l *loop) Reg { return l.Zero() },
	step: func(l *loop, m Mem, w, acc Reg, t *Tail) {
		switch {
		case t == nil:
			VFMADD231PS(m, w, acc)
		case l.Wide():
			VFMADD231PS(m, w, t.Mask(), acc)
		default:
			VFMADD231PS(l.Load(m, t), w, acc)
		}
	},
	finish: func(l *loop, acc [][]Reg, tails []*Tail, id string) {
		TESTQ(l.res, l.res)
		JZ(LabelRef(id + "clamp"))
		l.each(len(acc), l.res, offResStep, func(i int, p reg.Register) {
			for v, t := range tails {
				VADDPS(l.Load(Mem{Base: p, Disp: v * l.Bytes()}, t), acc[i][v], acc[i][v])
			}
		})
		Label(id + "clamp")
		lo := l.Broadcast(Mem{Base: args(), Disp: offLo})
		hi := l.Broadcast(Mem{Base: args(), Disp: offHi})
		for i := range acc {
			l.Clamp(acc[i], lo, hi)
		}
	},
}

// maxpool passes over NaN: the new value stands first (Intel order).
var maxpool = &reduction{
	name:  "maxpool",
	start: func(l *loop) Reg { return l.Const(float32(math.Inf(-1))) },
	step: func(l *loop, m Mem, _, acc Reg, t *Tail) {
		VMAXPS(acc, l.Load(m, t), acc)
	},
	finish: func(*loop, [][]Reg, []*Tail, string) {},
}

var sumpool = &reduction{
	name:  "sumpool",
	start: func(l *loop) Reg { return l.Zero() },
	step: func(l *loop, m Mem, _, acc Reg, t *Tail) {
		if t == nil {
			VADDPS(m, acc, acc)
			return
		}
		VADDPS(l.Load(m, t), acc, acc)
	},
	finish: func(l *loop, acc [][]Reg, _ []*Tail, _ string) {
		scale := l.Broadcast(Mem{Base: args(), Disp: offScale})
		for i := range acc {
			for _, v := range acc[i] {
				VMULPS(scale, v, v)
			}
		}
	},
}

func main() {
	ConstraintExpr("!noasm")
	for _, s := range Sets {
		for _, op := range []*reduction{depthwise, maxpool, sumpool} {
			routine(s, op, 0)
		}
		routine(s, depthwise, 3)
		routine(s, depthwise, 5)
	}
	Generate()
}
