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
	Weighted bool    `json:"weighted" doc:"weigh channels by how much they vary, in data or by the network's own statistics"`
	Smooth   float64 `json:"smooth" doc:"correlation of neighbouring pixels that is reckoned with, 0 to 1"`
	Correct  bool    `json:"correct" doc:"move biases by what is left out on average"`
}

// standard are the settings of every decomposition that says nothing else.
var standard = Settings{Amount: usual, Align: 8, Weighted: true, Correct: true}

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

// Needs implements compress.Calibrated: the moments of what layers read.
func (q *Settings) Needs(m *ir.Model, env *compress.Env) []calib.Request {
	if _, err := op.Infer(m); err != nil {
		return nil // Apply reports it
	}
	var out []calib.Request
	for _, l := range env.Layers(m) {
		if unsuited(&l) == "" && l.Node.In[0].Type.Rank() > 1 {
			out = append(out, calib.Request{Value: l.Node.In[0], Axis: dataAxis(&l), Moments: true})
		}
	}
	return out
}

// metric is that of a layer.
func (q *Settings) metric(s *site) metric {
	var m metric
	if q.Weighted && s.input.mean != nil {
		if d := s.input.deviation(q.Correct && biasOf(s.layer) != nil); d != nil {
			m.channels = &factor{diagonal: d}
		}
	}
	for k, size := range s.taps {
		dilation := 1
		if list := s.layer.Node.Ints("dilations"); k < len(list) {
			dilation = list[k]
		}
		m.taps = append(m.taps, smooth(size, dilation, q.Smooth))
	}
	return m
}
