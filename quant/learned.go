package quant

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/recon"
)

// Learned is what methods share that improve the codes of a base method by gradients,
// unit by unit, on samples.
type Learned struct {
	Base compress.Nested `json:"base" doc:"method whose codes are improved: uniform, powerquant, codebook or mixed"`
	W    int             `json:"w" doc:"bits of the weights, in place of the base's; 0 for those"`
	A    int             `json:"a" doc:"bits of the data that layers read, in place of the base's; 0 for those"`
	recon.Settings
}

// Validate implements compress.Method.
func (l *Learned) Validate() error {
	if l.Base.Method == nil {
		return errors.New("base is missing")
	}
	_, single := l.Base.Method.(base)
	if _, mixed := l.Base.Method.(*Mixed); !single && !mixed {
		return fmt.Errorf("base=%s: choose uniform, powerquant, codebook or mixed", compress.StepString(l.Base.Method))
	}
	b, err := l.base()
	if err != nil {
		return err
	}
	if err := b.Validate(); err != nil {
		return err
	}
	return l.Settings.Validate()
}

// base is the base method with the widths.
func (l *Learned) base() (compress.Method, error) {
	v := reflect.New(reflect.TypeOf(l.Base.Method).Elem())
	v.Elem().Set(reflect.ValueOf(l.Base.Method).Elem())
	for name, bits := range map[string]int{"W": l.W, "A": l.A} {
		if bits == 0 {
			continue
		}
		f := v.Elem().FieldByName(name)
		if !f.IsValid() {
			return nil, fmt.Errorf("base=%s has no width that %s=%d could replace", compress.StepString(l.Base.Method), name, bits)
		}
		f.SetInt(int64(bits))
	}
	return v.Interface().(compress.Method), nil
}

// Prepare implements compress.Prepared.
func (l *Learned) Prepare(m *ir.Model, env *compress.Env) error {
	b, err := l.base()
	if err != nil {
		return err
	}
	if p, ok := b.(compress.Prepared); ok {
		return p.Prepare(m, env)
	}
	return nil
}

// Needs implements compress.Calibrated: what the base needs.
func (l *Learned) Needs(m *ir.Model, env *compress.Env) []calib.Request {
	if b, err := l.base(); err == nil {
		if c, ok := b.(compress.Calibrated); ok {
			return c.Needs(m, env)
		}
	}
	return nil
}

// Apply implements compress.Method.
func (l *Learned) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	b, err := l.base()
	if err != nil {
		return err
	}
	original := ir.CloneModel(m)
	if err := b.Apply(ctx, m, env); err != nil {
		return err
	}
	return recon.Run(ctx, m, original, env, &l.Settings)
}
