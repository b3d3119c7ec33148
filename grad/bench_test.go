package grad_test

import (
	"fmt"
	"testing"
	"time"

	"pare/grad"
	"pare/ir"
	"pare/kernel"
	"pare/op"
	"pare/pass"
	"pare/tensor"
)

// BenchmarkTraining goes forward and backward by all weights, with batch-norms in
// training, and reports samples per second and the share of the processor's peak that
// three times the multiplications of forward make.
func BenchmarkTraining(b *testing.B) {
	peak := kernel.Peak(100 * time.Millisecond)
	for _, n := range []struct {
		path  string
		batch int
		sizes map[string]int
	}{
		{"cifar10/resnet20.onnx", 64, map[string]int{"batch": 64}},
		{"cifar10/resnet56.onnx", 64, map[string]int{"batch": 64}},
		{"cifar10/vit_tiny.onnx", 64, map[string]int{"batch_size": 64}},
		{"imagenet/mobilenet_v1_0.75.onnx", 8, map[string]int{"batch": 8}},
		{"imagenet/mobilenet_v2_1.0.onnx", 8, map[string]int{"batch": 8}},
		{"language/minilm-l6.onnx", 8, map[string]int{"batch": 8, "sequence": 32}},
	} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", n.path, threads), func(b *testing.B) {
				m, in := open(b, n.path, n.sizes)
				p, err := grad.New(m, grad.Options{Params: weights(m.Graph), Train: true, Threads: threads})
				if err != nil {
					b.Fatal(err)
				}
				x := &trial{t: b, p: p, in: in}
				x.step() // lays out the memory
				for b.Loop() {
					x.step()
				}
				steps := float64(b.N) / b.Elapsed().Seconds()
				b.ReportMetric(steps*float64(n.batch), "samples/s")
				b.ReportMetric(100*steps*6*macs(b, m, in)/(peak*float64(threads)), "%peak")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// macs counts the multiplications of going forward.
func macs(b *testing.B, m *ir.Model, in []*tensor.Tensor) (total float64) {
	m = ir.CloneModel(m)
	for i, v := range m.Graph.Inputs {
		v.Type = ir.TypeOf(in[i])
	}
	if _, err := pass.Simplify(b.Context(), m); err != nil {
		b.Fatal(err)
	}
	if _, err := op.InferWith(m, op.InferOptions{Redo: true}); err != nil {
		b.Fatal(err)
	}
	for _, n := range m.Graph.Nodes {
		k, _ := op.MACs(n)
		total += float64(k)
	}
	return total
}
