package grad_test

import (
	"context"
	"fmt"
	"testing"

	"pare/engine"
	"pare/grad"
	"pare/tensor"
)

// BenchmarkTransformers times networks forward in the engine, and forward and
// backward by all their weights.
func BenchmarkTransformers(b *testing.B) {
	ctx := context.Background()
	for _, n := range []struct {
		path  string
		sizes map[string]int
	}{
		{"cifar10/vit_tiny.onnx", map[string]int{"batch_size": 64}},
		{"language/minilm-l6.onnx", map[string]int{"batch": 32}},
	} {
		m, in := open(b, n.path, n.sizes)
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/engine/threads=%d", n.path, threads), func(b *testing.B) {
				c, err := engine.Compile(ctx, m, engine.Options{Threads: threads})
				if err != nil {
					b.Fatal(err)
				}
				s, named := c.NewSession(), map[string]*tensor.Tensor{}
				for i, v := range s.Inputs() {
					named[v.Name] = in[i]
				}
				for b.Loop() {
					if _, err := s.Run(ctx, named); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/gradients/threads=%d", n.path, threads), func(b *testing.B) {
				p, err := grad.New(m, grad.Options{Params: weights(m.Graph), Threads: threads})
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					out, err := p.Forward(ctx, in)
					if err != nil {
						b.Fatal(err)
					}
					if err := p.Backward(ctx, out); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
