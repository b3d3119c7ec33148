package recon

import (
	"fmt"

	"pare/tensor"
)

// kept is an outcome as a journal holds it.
type kept struct {
	Start, End float64
	Steps      int
	What       string
	Changed    bool
	Consts     map[string]raw
	Exponents  map[string]float64
}

// raw is a tensor as bytes.
type raw struct {
	Type  tensor.DType
	Shape []int
	Bytes []byte
}

func (o outcome) keep() kept {
	k := kept{Start: o.start, End: o.end, Steps: o.steps, What: o.kept}
	if o.change == nil {
		return k
	}
	k.Changed, k.Exponents, k.Consts = true, o.change.exponents, map[string]raw{}
	for name, t := range o.change.consts {
		k.Consts[name] = raw{t.Type, t.Shape, t.Bytes()}
	}
	return k
}

// outcome is what a journal kept.
func (k kept) outcome() (outcome, error) {
	o := outcome{start: k.Start, end: k.End, steps: k.Steps, kept: k.What}
	if !k.Changed {
		return o, nil
	}
	o.change = newChange()
	for name, a := range k.Exponents {
		o.change.exponents[name] = a
	}
	for name, r := range k.Consts {
		t, err := tensor.FromBytes(r.Type, r.Shape, r.Bytes)
		if err != nil {
			return o, fmt.Errorf("constant %q: %w", name, err)
		}
		o.change.consts[name] = t
	}
	return o, nil
}
