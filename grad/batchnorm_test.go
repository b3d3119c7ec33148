package grad_test

import (
	"context"
	"math"
	"testing"

	"pare/grad"
	"pare/ir"
	"pare/tensor"
)

// TestBatchStatistics differentiates through the statistics of the batch, with what
// fuses with the normalisation and what does not.
func TestBatchStatistics(t *testing.T) {
	const consts = `
  const s = f32[4]{positive}
  const b = f32[4]{random}
  const m = f32[4]{random}
  const v = f32[4]{positive}
  const w = f32[4,4,1,1]{random}
  const h = f32[]{0.5}
  const l = f32[]{-0.25}`
	for name, nodes := range map[string]string{
		"alone":   "y = BatchNormalization(x, s, b, m, v) {training_mode=1}",
		"relu":    "n = BatchNormalization(x, s, b, m, v) {training_mode=1}\n y = Relu(n)",
		"clip":    "c = Conv(x, w)\n n = BatchNormalization(c, s, b, m, v) {training_mode=1}\n y = Clip(n, l, h)",
		"twice":   "n = BatchNormalization(x, s, b, m, v) {training_mode=1}\n r = Relu(n)\n y = Add(n, r)",
		"block":   "c = Conv(x, w)\n n = BatchNormalization(c, s, b, m, v) {training_mode=1}\n a = Add(n, x)\n r = Relu(a)\n d = Conv(r, w)\n y = Add(d, r)",
		"vectors": "p = GlobalAveragePool(x)\n f = Flatten(p)\n n = BatchNormalization(f, s, b, m, v) {training_mode=1}\n y = Relu(n)",
	} {
		t.Run(name, func(t *testing.T) {
			checkGradients(t, "opset 18\ngraph g(x f32[5,4,3,2]) -> (y) {"+consts+"\n"+nodes+"\n}", settings)
		})
	}
}

// TestRunningStatistics follows them through two steps and into the model.
func TestRunningStatistics(t *testing.T) {
	m := parse(t, `opset 18
graph g(x f32[2,2,1,2]) -> (y) {
  const s = f32[2]{1, 1}
  const b = f32[2]{0, 0}
  const m = f32[2]{1, 2}
  const v = f32[2]{3, 4}
  y = BatchNormalization(x, s, b, m, v) {momentum=0.75}
}`)
	p, err := grad.New(m, grad.Options{Train: true, Params: []*ir.Value{m.Graph.Value("s")}})
	if err != nil {
		t.Fatal(err)
	}
	x := tensor.Of([]int{2, 2, 1, 2}, []float32{1, 2, -1, 0, 3, 6, 2, 3})
	for range 2 {
		if _, err := p.Forward(context.Background(), []*tensor.Tensor{x}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Store(m); err != nil {
		t.Fatal(err)
	}
	// Channel 0 has 1, 2, 3, 6: mean 3, unbiased variance 14/3. Channel 1 has -1, 0, 2,
	// 3: mean 1, unbiased variance 10/3.
	near(t, m, "m", 3+(1-3)*0.5625, 1+(2-1)*0.5625)
	near(t, m, "v", 14.0/3+(3-14.0/3)*0.5625, 10.0/3+(4-10.0/3)*0.5625)
}

func near(t *testing.T, m *ir.Model, name string, want ...float64) {
	t.Helper()
	got := tensor.Float64s(m.Graph.Value(name).Const)
	for i, w := range want {
		if math.Abs(got[i]-w) > 1e-5 {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}
