package quant

import (
	"pare/compress"
	"pare/recon"
)

func init() {
	compress.Register(compress.Info{
		Name: "qdrop",
		Kind: compress.Quantising,
		Doc:  "learn roundings and scales of data block by block, while data are quantised at random",
		Ref:  "[wei22] QDrop: Randomly Dropping Quantization for Extremely Low-bit Post-Training Quantization, arXiv:2203.05740",
		New: func() compress.Method {
			return &QDrop{newLearned(clipped(4), func(s *recon.Settings) {
				s.Drop, s.Input = 0.5, "mix"
			})}
		},
	})
}

// QDrop learns like BRECQ while data are dropped to floats at random [wei22].
type QDrop struct{ Learned }
