package quant

import (
	"context"
	"errors"
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/recon"
)

// Learned is what methods share that improve the codes of a base method by gradients,
// unit by unit, on samples.
type Learned struct {
	Base compress.Nested `json:"base" doc:"method whose codes are improved: uniform, powerquant, codebook, gptq of one of these, or mixed"`
	W    int             `json:"w" doc:"bits of the weights, in place of the base's; 0 for those"`
	A    int             `json:"a" doc:"bits of the data that layers read, in place of the base's; 0 for those"`
	recon.Settings
}

func newLearned(base compress.Method, edit func(s *recon.Settings)) Learned {
	return Learned{Base: compress.Nested{Method: base}, Settings: recon.Defaults(edit)}
}

// clipped is evenly spaced levels of w bits whose range is clipped by least squares.
func clipped(w int) compress.Method {
	u := newUniform(w)
	u.Range = "mse"
	return u
}

// Validate implements compress.Method.
func (l *Learned) Validate() error {
	if l.Base.Method == nil {
		return errors.New("base is missing")
	}
	b, err := l.base()
	if err != nil {
		return err
	}
	_, single := b.(base)
	_, ternary := b.(*Ternary)
	if _, mixed := b.(*Mixed); ternary || !single && !mixed {
		return fmt.Errorf("base=%s: choose uniform, powerquant, codebook, gptq or mixed", compress.StepString(l.Base.Method))
	}
	if err := b.Validate(); err != nil {
		return err
	}
	return l.Settings.Validate()
}

// base is the base method with the widths, on whose grids codes make up for each other
// where that is the start.
func (l *Learned) base() (compress.Method, error) {
	b, err := override(l.Base.Method, l.W, l.A)
	if _, done := b.(*GPTQ); err != nil || done || l.Start != "gptq" {
		return b, err
	}
	g := newGPTQ()
	g.Base = compress.Nested{Method: b}
	return g, nil
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
	env, ok, err := recon.Supplied(ctx, m, env, &l.Settings)
	if err != nil {
		return err
	}
	if !ok {
		b, err := override(l.Base.Method, l.W, l.A)
		if err != nil {
			return err
		}
		return b.Apply(ctx, m, env)
	}
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
