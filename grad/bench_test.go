package grad_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pare/grad"
	"pare/kernel"
)

// BenchmarkTraining goes forward and backward by all weights with batch-norms in
// training, and reports images per second and the share of the processor's peak
// that three times the multiplications of forward make.
func BenchmarkTraining(b *testing.B) {
	peak := kernel.Peak(100 * time.Millisecond)
	for _, n := range []struct {
		path  string
		batch int
		macs  float64 // of one image
	}{
		{"cifar10/resnet20.onnx", 64, 40.6e6},
		{"cifar10/resnet56.onnx", 64, 125.5e6},
		{"imagenet/mobilenet_v1_0.75.onnx", 8, 325e6},
		{"imagenet/mobilenet_v2_1.0.onnx", 8, 300e6},
	} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", n.path, threads), func(b *testing.B) {
				m, in := open(b, n.path, map[string]int{"batch": n.batch})
				p, err := grad.New(m, grad.Options{Params: weights(m.Graph), Train: true, Threads: threads})
				if err != nil {
					b.Fatal(err)
				}
				step := func() {
					out, err := p.Forward(context.Background(), in)
					if err != nil {
						b.Fatal(err)
					}
					if err := p.Backward(context.Background(), out); err != nil {
						b.Fatal(err)
					}
				}
				step() // lays out the memory
				for b.Loop() {
					step()
				}
				rate := float64(n.batch*b.N) / b.Elapsed().Seconds()
				b.ReportMetric(rate, "images/s")
				b.ReportMetric(100*rate*6*n.macs/(peak*float64(threads)), "%peak")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
