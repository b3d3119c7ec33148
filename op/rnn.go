package op

// rnnDef is the simple recurrent network.
// https://onnx.ai/onnx/operators/onnx__RNN.html
var rnnDef = Def{
	Name: "RNN", Versions: []int{1, 7, 14, 22}, In: Arity{3, 6}, Out: Arity{0, 2},
	Infer: inferRecurrent, Raise: raiseRecurrent,
	Eval: func(c *Eval) error {
		r, err := newRecurrence(c, 1, "Tanh")
		if err != nil {
			return err
		}
		return r.run(func(d int, wx, h, _ []float64) {
			rh := r.recurrent(d, 0, 1, h)
			for i := range h {
				h[i] = r.f(d, 0, wx[i]+rh[i]+r.bias(d, 0, 0, i)+r.bias(d, 1, 0, i))
			}
		}, false)
	},
}

// gruDef is the gated recurrent unit; the gates lie in the order z, r, h.
// https://onnx.ai/onnx/operators/onnx__GRU.html
var gruDef = Def{
	Name: "GRU", Versions: []int{1, 3, 7, 14, 22}, In: Arity{3, 6}, Out: Arity{0, 2},
	Infer: inferRecurrent, Raise: raiseRecurrent,
	Eval: func(c *Eval) error {
		r, err := newRecurrence(c, 3, "Sigmoid", "Tanh")
		if err != nil {
			return err
		}
		return r.run(r.gruStep, false)
	},
}

func (r *recurrence) gruStep(d int, wx, h, _ []float64) {
	n := r.hidden
	zr := r.recurrent(d, 0, 2, h)
	update, reset := make([]float64, n), make([]float64, n)
	for i := range h {
		update[i] = r.f(d, 0, wx[i]+zr[i]+r.bias(d, 0, 0, i)+r.bias(d, 1, 0, i))
		reset[i] = r.f(d, 0, wx[n+i]+zr[n+i]+r.bias(d, 0, 1, i)+r.bias(d, 1, 1, i))
	}
	var rh []float64
	if r.c.Node.Int("linear_before_reset", 0) != 0 {
		rh = r.recurrent(d, 2, 3, h)
		for i := range rh {
			rh[i] = reset[i] * (rh[i] + r.bias(d, 1, 2, i))
		}
	} else {
		kept := make([]float64, n)
		for i := range kept {
			kept[i] = reset[i] * h[i]
		}
		rh = r.recurrent(d, 2, 3, kept)
		for i := range rh {
			rh[i] += r.bias(d, 1, 2, i)
		}
	}
	for i := range h {
		fresh := r.f(d, 1, wx[2*n+i]+rh[i]+r.bias(d, 0, 2, i))
		h[i] = (1-update[i])*fresh + update[i]*h[i]
	}
}

// lstmDef is long short-term memory; the gates lie in the order i, o, f, c.
// https://onnx.ai/onnx/operators/onnx__LSTM.html
var lstmDef = Def{
	Name: "LSTM", Versions: []int{1, 7, 14, 22}, In: Arity{3, 8}, Out: Arity{0, 3},
	Infer: inferRecurrent, Raise: raiseRecurrent,
	Eval: func(c *Eval) error {
		r, err := newRecurrence(c, 4, "Sigmoid", "Tanh", "Tanh")
		if err != nil {
			return err
		}
		peep := r.peepholes(7)
		return r.run(func(d int, wx, h, s []float64) { r.lstmStep(d, wx, h, s, peep) }, true)
	},
}

func (r *recurrence) lstmStep(d int, wx, h, s, peep []float64) {
	n := r.hidden
	coupled := r.c.Node.Int("input_forget", 0) != 0
	rh := r.recurrent(d, 0, 4, h)
	gate := func(g, i int) float64 { return wx[g*n+i] + rh[g*n+i] + r.bias(d, 0, g, i) + r.bias(d, 1, g, i) }
	p := peep[d*3*n:] // in the order i, o, f
	for i := range h {
		in := r.f(d, 0, gate(0, i)+p[i]*s[i])
		forget := 1 - in
		if !coupled {
			forget = r.f(d, 0, gate(2, i)+p[2*n+i]*s[i])
		}
		s[i] = forget*s[i] + in*r.f(d, 1, gate(3, i))
		h[i] = r.f(d, 0, gate(1, i)+p[n+i]*s[i]) * r.functions[d*r.perDirection+2](s[i])
	}
}
