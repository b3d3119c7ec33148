package pare

import (
	"strings"
	"testing"

	"pare/compress"
	"pare/internal/cpu"
	"pare/ir"
	"pare/tensor"
)

const hintGraph = `ir_version 8
opset 18
graph g(x f32[3,4]) -> (y) {
	const q = i8[4,2]{*0}
	const s = f32[]{0.1}
	w = DequantizeLinear(q, s)
	y = MatMul(x, w)
}
`

// TestNarrowHint asks for the hint with kernels of either kind of machine.
func TestNarrowHint(t *testing.T) {
	codes := func(largest int8) *Model {
		m, err := ir.Parse(strings.NewReader(hintGraph))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range m.Graph.Consts {
			if v.Const.Type == tensor.Int8 {
				tensor.Data[int8](v.Const)[0] = largest
			}
		}
		return &Model{ir: m}
	}
	fc := compress.Layers(codes(0).ir)[0].Name
	steps := []StepTime{{Name: fc, Kernel: "int8 gemm", MS: 2}, {Name: "other", Kernel: "add", MS: 3}}
	floats := []StepTime{{Name: fc, Kernel: "gemm", MS: 2}}
	rare := []StepTime{{Name: fc, Kernel: "int8 gemm", MS: 2}, {Name: "other", Kernel: "add", MS: 30}}
	for _, c := range []struct {
		level   string
		largest int8
		steps   []StepTime
		want    bool
	}{
		{"avx2", 127, steps, true}, {"avx2", -64, steps, true}, {"avx2", 63, steps, false}, {"avx2", 127, floats, false},
		{"avx2", 127, rare, false}, {"avx512", 127, steps, false}, {"generic", 127, steps, false},
	} {
		restore, full := cpu.Cap(c.level)
		if hint := codes(c.largest).narrowHint(c.steps); full && (hint != "") != c.want {
			t.Errorf("%s, weights up to %d, %v: %q", c.level, c.largest, c.steps, hint)
		} else if c.want && full && !strings.Contains(hint, "1 layers, 40 %") {
			t.Error(hint)
		}
		restore()
	}
}
