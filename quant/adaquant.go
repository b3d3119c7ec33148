package quant

import (
	"pare/compress"
	"pare/recon"
)

func init() {
	compress.Register(compress.Info{
		Name: "adaquant",
		Kind: compress.Quantising,
		Doc:  "learn weights, biases and scales layer by layer through the rounding",
		Ref:  "[hubara20] Improving Post Training Neural Quantization: Layer-wise Calibration and Integer Programming, arXiv:2006.10518",
		New: func() compress.Method {
			return &AdaQuant{newLearned(clipped(4), func(s *recon.Settings) {
				s.Unit, s.Start = recon.Layer, "nearest"
			})}
		},
	})
}

// AdaQuant learns weights, biases and scales by straight-through gradients [hubara20].
type AdaQuant struct{ Learned }
