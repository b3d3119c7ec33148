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
			return &AdaRound{newLearned(func(s *recon.Settings) { s.Unit = recon.Layer })}
		},
	})
	compress.Register(compress.Info{
		Name: "brecq",
		Kind: compress.Quantising,
		Doc:  "learn block by block which weights to round up and which down, and scales of data",
		Ref:  "[li21] BRECQ: Pushing the Limit of Post-Training Quantization by Block Reconstruction, arXiv:2102.05426",
		New: func() compress.Method {
			return &BRECQ{newLearned(func(s *recon.Settings) { s.AScale = true })}
		},
	})
	compress.Register(compress.Info{
		Name: "qdrop",
		Kind: compress.Quantising,
		Doc:  "learn roundings and scales of data block by block, while data are quantised at random",
		Ref:  "[wei22] QDrop: Randomly Dropping Quantization for Extremely Low-bit Post-Training Quantization, arXiv:2203.05740",
		New: func() compress.Method {
			return &QDrop{newLearned(func(s *recon.Settings) { s.AScale, s.Drop, s.Input = true, 0.5, "mix" })}
		},
	})
}

// newLearned starts from evenly spaced levels of 4 bits, clipped by least squares.
func newLearned(edit func(s *recon.Settings)) Learned {
	b := newUniform(4)
	b.Range = "mse"
	return Learned{Base: compress.Nested{Method: b}, Settings: recon.Defaults(edit)}
}

// AdaRound learns roundings of layers [nagel20].
type AdaRound struct{ Learned }

// BRECQ learns roundings of blocks [li21].
type BRECQ struct{ Learned }

// QDrop learns roundings of blocks while data are dropped to floats at random [wei22].
type QDrop struct{ Learned }
