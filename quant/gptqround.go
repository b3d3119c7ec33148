package quant

import (
	"context"
	"fmt"
	"math"

	"pare/calib"
	"pare/format"
	"pare/tensor"
)

// rounded is what is kept of a layer for a run that is interrupted: its codes, and the
// scales and zero points of blocks that got new ones.
type rounded struct {
	Codes, Zero []byte
	Scale       []float32
	Done        format.Compensated
}

// stage measures and rounds layers.
func (r *rounding) stage(ctx context.Context, i int, jobs []*job) error {
	var all []rounded
	encodings := make([]*format.Encoded, len(jobs))
	for k, j := range jobs {
		var err error
		if encodings[k], _, err = r.w.codes(&j.plan); err != nil {
			return err
		}
	}
	known := true
	err := r.env.Resume(fmt.Sprint("stage ", i), &all, func() error {
		known = false
		grams, err := r.measure(ctx, jobs, func(n, of int) { r.env.Advance("measuring data", i*of+n, r.stages*of) })
		if err != nil {
			return err
		}
		all = make([]rounded, len(jobs))
		for k, j := range jobs {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if all[k], err = r.roundOne(j, encodings[k], grams[k]); err != nil {
				return layerError(j.layer, err)
			}
			grams[k] = nil
		}
		return nil
	})
	if err == nil && known {
		err = r.replay(ctx, jobs)
	}
	if err != nil {
		return err
	}
	for k, j := range jobs {
		if err := r.write(j, encodings[k], &all[k]); err != nil {
			return err
		}
		for _, o := range j.meets {
			delete(r.late, o.node)
		}
	}
	return nil
}

// roundOne rounds a layer.
func (r *rounding) roundOne(j *job, e *format.Encoded, g *calib.Gram) (out rounded, err error) {
	if g != nil {
		_, out.Done, err = e.Compensate(float32s(j.layer.Weight.Const), j.layer.Out, format.Compensation{
			Products: g.Sums, Damp: r.Damp, Ordered: r.Order == "data", Refit: true, Range: r.w.opts.Range, Threads: r.env.Threads,
		})
		if err != nil {
			return out, err
		}
	}
	out.Codes, out.Scale = tensor.Codes(e.Codes), tensor.Data[float32](e.Scale)
	if e.Zero != nil {
		out.Zero = tensor.Codes(e.Zero)
	}
	return out, nil
}

// write stores a layer and says what became of it.
func (r *rounding) write(j *job, e *format.Encoded, x *rounded) error {
	e.Codes = tensor.FromCodes(e.Codes.Type, e.Codes.Shape, x.Codes)
	e.Scale = tensor.Of(e.Scale.Shape, x.Scale)
	if e.Zero != nil {
		e.Zero = tensor.FromCodes(e.Zero.Type, e.Zero.Shape, x.Zero)
	}
	now, err := e.Decode(r.env.Threads)
	if err != nil {
		return layerError(j.layer, err)
	}
	note := r.note(j, &x.Done)
	if j.note != "" {
		note = j.note + "; " + note
	}
	p := j.plan
	p.note = note
	return r.w.write(p, e, format.Difference(tensor.Data[float32](float32s(j.layer.Weight.Const)), tensor.Data[float32](now)), 0)
}

// note says what rounding did to a layer.
func (r *rounding) note(j *job, d *format.Compensated) string {
	switch {
	case j.why != "":
		return "rounded as by the base: " + j.why
	case d.Damp == 0 && d.Moved == 0:
		r.alike++
		return "rounded as by the base: its data are too alike, or all zero"
	}
	text := fmt.Sprintf("error of its results times %.2g", math.Sqrt(ratio(d.After, d.Before)))
	if d.Moved < d.Rows {
		text += fmt.Sprintf("; %d of %d channels are as the base rounds them, which errs less", d.Rows-d.Moved, d.Rows)
	}
	if d.Damp > r.Damp {
		text += fmt.Sprintf("; damping %.2g, as data are alike", d.Damp)
	}
	return text
}

func (r *rounding) warn() {
	if r.alike > 0 {
		r.env.Warn("the data of %d layers do not tell how to round them (the report says which): more samples may", r.alike)
	}
}
