package quant

import (
	"pare/compress"
	"pare/recon"
)

func init() {
	compress.Register(compress.Info{
		Name: "brecq",
		Kind: compress.Quantising,
		Doc:  "learn block by block which weights to round up and which down, and scales of data",
		Ref:  "[li21] BRECQ: Pushing the Limit of Post-Training Quantization by Block Reconstruction, arXiv:2102.05426",
		New: func() compress.Method {
			return &BRECQ{newLearned(clipped(4), func(s *recon.Settings) {})}
		},
	})
}

// BRECQ learns roundings of blocks and scales of data [li21].
type BRECQ struct{ Learned }
