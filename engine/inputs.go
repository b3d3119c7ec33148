package engine

import (
	"fmt"
	"strings"

	"pare/ir"
	"pare/op"
)

// checkInputs reports the first input that is missing, unknown, or not what the
// model declares.
func checkInputs(inputs []*ir.Value, in map[string]op.Val) error {
	known := 0
	for _, v := range inputs {
		x := in[v.Name]
		if x == nil {
			if v.Const == nil {
				return fmt.Errorf("input %q is missing; it wants %v", v.Name, v.Type)
			}
			continue
		}
		known++
		if err := fits(v.Type, op.TypeOfVal(x)); err != nil {
			return fmt.Errorf("input %q wants %v, given is %v: %w", v.Name, v.Type, op.TypeOfVal(x), err)
		}
	}
	if known == len(in) {
		return nil
	}
	return unknownInput(inputs, in)
}

func unknownInput(inputs []*ir.Value, in map[string]op.Val) error {
	var names []string
	is := map[string]bool{}
	for _, v := range inputs {
		names = append(names, fmt.Sprintf("%q", v.Name))
		is[v.Name] = true
	}
	for name, x := range in {
		if !is[name] && x != nil {
			return fmt.Errorf("the model has no input called %q; it has %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

// fits reports how a given type contradicts a declared one.
func fits(want, given ir.Type) error {
	if want.Kind == ir.KindUnknown {
		return nil
	}
	if want.Kind != given.Kind {
		if want.Kind == ir.KindOptional {
			return nil
		}
		return fmt.Errorf("it is something else")
	}
	if want.Kind != ir.KindTensor {
		return nil
	}
	if want.DType != 0 && want.DType != given.DType {
		return fmt.Errorf("the element type differs")
	}
	if !want.Ranked {
		return nil
	}
	if len(want.Shape) != len(given.Shape) {
		return fmt.Errorf("the number of dimensions differs")
	}
	for i, d := range want.Shape {
		if d.IsKnown() && d != given.Shape[i] {
			return fmt.Errorf("dimension %d differs", i)
		}
	}
	return nil
}
