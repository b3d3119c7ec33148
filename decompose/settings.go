package decompose

import (
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/op"
)

// Settings are what all decompositions have in common.
type Settings struct {
	Amount
	Align    int     `json:"align" doc:"ranks are multiples of this number"`
	Weighted string  `json:"weighted" values:"none|moments|pairs" doc:"what errors are weighed by: nothing, how much channels vary, or for filters of one tap how pairs of channels do, in data or samples made up"`
	Smooth   float64 `json:"smooth" doc:"correlation of neighbouring pixels that is reckoned with, 0 to 1"`
	Correct  bool    `json:"correct" doc:"move biases by what is left out on average"`
	Pays     string  `json:"pays" values:"time|macs" doc:"what a rank must save beside parameters: time, by a rule, or only multiply-accumulates"`
}

// standard are the settings of every decomposition that says nothing else.
var standard = Settings{Amount: usual, Align: 8, Weighted: "pairs", Smooth: 0.3, Correct: true, Pays: "time"}

// Validate implements compress.Method.
func (q *Settings) Validate() error {
	switch {
	case q.Align < 1:
		return fmt.Errorf("align=%d is not above 0", q.Align)
	case !(q.Smooth >= 0 && q.Smooth < 1):
		return fmt.Errorf("smooth=%v is not in 0 to 1, without 1", q.Smooth)
	}
	return q.check()
}

// leastOpset is the first in which a Gemm may have no bias, as the first of two has not.
const leastOpset = 11

// Prepare implements compress.Prepared.
func (q *Settings) Prepare(m *ir.Model, env *compress.Env) error { return env.Raise(m, leastOpset) }

// Needs implements compress.Calibrated: what is seen of what layers read.
func (q *Settings) Needs(m *ir.Model, env *compress.Env) []calib.Request {
	if _, err := op.Infer(m); err != nil {
		return nil // Apply reports it
	}
	var out []calib.Request
	for _, l := range env.Layers(m) {
		if unsuited(&l) != "" || l.Node.In[0].Type.Rank() < 2 {
			continue
		}
		c := l.Weight.Const
		out = append(out, calib.Request{
			Value: l.Node.In[0], Axis: dataAxis(&l), Moments: true,
			Pairs: q.Weighted == "pairs" && c.Len() == c.Shape[l.In]*c.Shape[l.Out] && c.Shape[l.In] <= pairChannels,
		})
	}
	return out
}
