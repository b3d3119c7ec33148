package quant

import (
	"pare/compress"
	"pare/format"
	"pare/ir"
)

type bias struct{}

func (b *bias) minScale(l *compress.Layer, s format.Spec) []float32    { return nil }
func (b *bias) emit(p *ir.Patch, l *compress.Layer, e *format.Encoded) {}
