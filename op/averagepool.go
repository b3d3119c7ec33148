package op

import "pare/tensor"

// averagePoolDef is the mean of each window.
// https://onnx.ai/onnx/operators/onnx__AveragePool.html
var averagePoolDef = Def{
	Name: "AveragePool", Versions: []int{1, 7, 10, 11, 19, 22}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: inferPool,
	Eval: func(c *Eval) error {
		c.reals(0)
		y, shape, err := windowMeans(c, c.Tensor(0))
		if err == nil {
			c.rounded(0, c.Tensor(0).Type, shape, y)
		}
		return err
	},
}

// windowMeans is the mean of each window of t.
func windowMeans(c *Eval, t *tensor.Tensor) ([]float64, []int, error) {
	y, p, err := windowSums(c, t, func(v float64) float64 { return v })
	if err != nil {
		return nil, nil, err
	}
	counts := p.counts(c.Node.Int("count_include_pad", 0) != 0)
	for i := range y {
		y[i] /= counts[i%len(counts)]
	}
	return y, p.shape, nil
}

// globalAveragePoolDef is the mean of each plane.
// https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html
var globalAveragePoolDef = globalPool("GlobalAveragePool", []int{1, 22}, func(*Eval) (func([]float64) float64, error) {
	return func(plane []float64) float64 {
		var sum float64
		for _, v := range plane {
			sum += v
		}
		return sum / float64(len(plane))
	}, nil
})

// windowSums adds f of the elements of each window of t.
func windowSums(c *Eval, t *tensor.Tensor, f func(float64) float64) ([]float64, *pooling, error) {
	p, err := c.pooling(t)
	if err != nil {
		return nil, nil, err
	}
	y := c.zeros(p.shape...)
	step := p.step()
	err = p.each(c.Ctx, func(in, out int, spans []span) {
		for _, sp := range spans {
			row, src := y[out+sp.out:][:sp.n], p.x[in+sp.in:]
			for i := range row {
				row[i] += f(src[i*step])
			}
		}
	})
	return y, p, err
}
