package quant

import (
	"pare/compress"
	"pare/recon"
)

func init() {
	compress.Register(compress.Info{
		Name: "nupes",
		Kind: compress.Quantising,
		Doc:  "learn codes over the whole of power grids, and the exponents of these",
		Ref:  "[yvinec25] NUPES: Non-Uniform Post-Training Quantization via Power Exponent Search, arXiv:2308.05600",
		New: func() compress.Method {
			return &NUPES{newLearned(newPowerQuant(4), func(s *recon.Settings) {
				s.Drop, s.Input = 0.5, "mix"
			})}
		},
	})
}

// NUPES learns codes and exponents of power grids [yvinec25].
type NUPES struct{ Learned }
