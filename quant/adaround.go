package quant

import (
	"pare/compress"
	"pare/recon"
)

func init() {
	compress.Register(compress.Info{
		Name: "adaround",
		Kind: compress.Quantising,
		Doc:  "learn layer by layer which weights to round up and which down",
		Ref:  "[nagel20] Up or Down? Adaptive Rounding for Post-Training Quantization, arXiv:2004.10568",
		New: func() compress.Method {
			return &AdaRound{newLearned(clipped(4), func(s *recon.Settings) {
				s.Unit, s.Variable, s.Steps, s.Start = recon.Layer, "h", 300, "nearest"
				s.Bias, s.Scale, s.AScale = false, false, false
			})}
		},
	})
}

// AdaRound learns roundings of layers [nagel20].
type AdaRound struct{ Learned }
