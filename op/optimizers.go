package op

import (
	"fmt"
	"math"
)

// adagradDef is one step of Adagrad.
// https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adagrad.html
var adagradDef = optimizer("Adagrad", 3, func(c *Eval) (update, error) {
	decay, eps := attr64(c, "decay_factor", 0), attr64(c, "epsilon", 1e-6)
	return func(rate, t, x, g float64, s []float64) float64 {
		s[0] += g * g
		return x - rate/(1+t*decay)*g/(math.Sqrt(s[0])+eps)
	}, nil
})

// adamDef is one step of Adam.
// https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html
var adamDef = optimizer("Adam", 4, func(c *Eval) (update, error) {
	alpha, beta := attr64(c, "alpha", 0.9), attr64(c, "beta", 0.999)
	eps, post := attr64(c, "epsilon", 1e-6), attr64(c, "norm_coefficient_post", 0)
	return func(rate, t, x, g float64, s []float64) float64 {
		s[0] = alpha*s[0] + (1-alpha)*g
		s[1] = beta*s[1] + (1-beta)*g*g
		if t > 0 {
			rate *= math.Sqrt(1-math.Pow(beta, t)) / (1 - math.Pow(alpha, t))
		}
		return (1 - post) * (x - rate*s[0]/(math.Sqrt(s[1])+eps))
	}, nil
})

// momentumDef is one step of gradient descent with momentum.
// https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Momentum.html
var momentumDef = optimizer("Momentum", 3, func(c *Eval) (update, error) {
	alpha, beta := attr64(c, "alpha", 0), attr64(c, "beta", 0)
	mode := c.Node.Str("mode", "standard")
	if mode != "standard" && mode != "nesterov" {
		return nil, fmt.Errorf("mode %q is unknown; use standard or nesterov", mode)
	}
	return func(rate, t, x, g float64, s []float64) float64 {
		share := beta
		if t <= 0 {
			share = 1 // the first gradient counts in full
		}
		s[0] = alpha*s[0] + share*g
		if mode == "nesterov" {
			return x - rate*(g+alpha*s[0])
		}
		return x - rate*s[0]
	}, nil
})

// update changes one parameter x by its gradient g, and its states s.
type update func(rate, t, x, g float64, s []float64) float64

func attr64(c *Eval, name string, def float32) float64 { return float64(c.Node.Float(name, def)) }

// optimizer makes the row of an operator whose operands are a learning rate, a
// step count and then n parameters, their n gradients and n of each state; the
// results are the parameters and the states. width is how many operands belong
// to one parameter.
func optimizer(name string, width int, make func(c *Eval) (update, error)) Def {
	return Def{
		Name: name, Domain: "ai.onnx.preview.training", Versions: []int{1}, In: Arity{2 + width, Variadic}, Out: Arity{1, Variadic},
		Infer: func(c *Shape) error {
			n := (len(c.In) - 2) / width
			for i := range c.Out {
				from := 2 + i
				if i >= n {
					from += n // behind the gradients
				}
				if from < len(c.In) {
					c.Set(i, c.In[from])
				}
			}
			return nil
		},
		Eval: func(c *Eval) error {
			f, err := make(c)
			if err != nil {
				return err
			}
			if (len(c.In)-2)%width != 0 {
				return fmt.Errorf("%d operands; each parameter needs %d behind the rate and the step count", len(c.In), width)
			}
			c.needLen(0, 1)
			c.needLen(1, 1)
			rate, t := c.reals(0)[0], c.numbers(1)[0]
			n := (len(c.In) - 2) / width
			for i := range n {
				c.optimize(f, rate, t, i, n, width)
			}
			return nil
		},
	}
}

// optimize updates parameter i of n.
func (c *Eval) optimize(f update, rate, t float64, i, n, width int) {
	x := c.Need(2 + i)
	decay := attr64(c, "norm_coefficient", 0)
	values := append([]float64(nil), c.reals(2+i)...)
	c.needShape(2+n+i, x.Shape...)
	grads := c.reals(2 + n + i)
	states := make([][]float64, width-2)
	for k := range states {
		c.needShape(2+(2+k)*n+i, x.Shape...)
		states[k] = append([]float64(nil), c.reals(2+(2+k)*n+i)...)
	}
	s := make([]float64, len(states))
	for e, v := range values {
		for k := range s {
			s[k] = states[k][e]
		}
		values[e] = f(rate, t, v, grads[e]+decay*v, s)
		for k := range s {
			states[k][e] = s[k]
		}
	}
	c.rounded(i, x.Type, x.Shape, values)
	for k := range states {
		c.rounded((1+k)*n+i, x.Type, x.Shape, states[k])
	}
}
