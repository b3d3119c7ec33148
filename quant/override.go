package quant

import (
	"cmp"
	"fmt"

	"pare/compress"
)

// resizable is a base whose widths other methods can set.
type resizable interface {
	// resized is a copy with other widths of weights and data, 0 for its own.
	resized(w, a int) (compress.Method, error)
}

// override is a base with other widths, 0 for its own.
func override(m compress.Method, w, a int) (compress.Method, error) {
	if w == 0 && a == 0 {
		return m, nil
	}
	r, ok := m.(resizable)
	if !ok {
		return nil, fmt.Errorf("base=%s takes no other widths: write them there", compress.StepString(m))
	}
	return r.resized(w, a)
}

func (u *Uniform) resized(w, a int) (compress.Method, error) {
	out := *u
	out.W, out.A = cmp.Or(w, u.W), cmp.Or(a, u.A)
	return &out, nil
}

func (q *PowerQuant) resized(w, a int) (compress.Method, error) {
	out := *q
	out.W, out.A = cmp.Or(w, q.W), cmp.Or(a, q.A)
	return &out, nil
}

func (q *Codebook) resized(w, a int) (compress.Method, error) {
	if a != 0 {
		return nil, fmt.Errorf("a=%d needs a base that quantises data: uniform or powerquant", a)
	}
	out := *q
	out.W = cmp.Or(w, q.W)
	return &out, nil
}

func (x *Mixed) resized(w, a int) (compress.Method, error) {
	if w != 0 {
		return nil, fmt.Errorf("w=%d: base=%s chooses widths by its budget", w, compress.StepString(x))
	}
	inner, err := override(x.Base.Method, 0, a)
	out := *x
	out.Base = compress.Nested{Method: inner}
	return &out, err
}

func (g *GPTQ) resized(w, a int) (compress.Method, error) {
	out := *g
	out.W, out.A = cmp.Or(w, g.W), cmp.Or(a, g.A)
	return &out, nil
}
