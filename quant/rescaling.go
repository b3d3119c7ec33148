package quant

import (
	"context"
	"fmt"
	"math"

	"pare/compress"
	"pare/group"
	"pare/ir"
	"pare/op"
)

// rescaling is the part that methods share which multiply channels by positive
// numbers: what may be rescaled, the patch, the report.
type rescaling struct {
	env    *compress.Env
	m      *ir.Model
	a      *group.Analysis
	layers []compress.Layer
	free   []bool    // by unit
	why    []string  // by unit, why it is not free
	scale  []float64 // by unit
}

func newRescaling(m *ir.Model, env *compress.Env, bounds bool) (*rescaling, error) {
	if _, err := op.Infer(m); err != nil {
		return nil, err
	}
	a := group.Analyse(m, group.Rescaling)
	r := &rescaling{env: env, m: m, a: a, layers: env.Layers(m), why: append([]string(nil), a.Pinned...)}
	locked := map[*ir.Node]string{}
	for _, l := range r.layers {
		if l.Reason != "" {
			locked[l.Node] = fmt.Sprintf("layer %s stays as it is: %s", l.Name, l.Reason)
		}
	}
	for _, l := range a.Links {
		r.lock(l.Units, locked[l.Node])
	}
	for _, b := range a.Bounds {
		if !bounds {
			r.lock(b.Units, fmt.Sprintf("%v is not positively homogeneous", b.Node))
		}
	}
	for _, why := range r.why {
		r.free, r.scale = append(r.free, why == ""), append(r.scale, 1)
	}
	return r, nil
}

func (r *rescaling) lock(units []int, why string) {
	for _, u := range units {
		if r.why[u] == "" {
			r.why[u] = why
		}
	}
}

// apply rescales and reports every layer by the channels it computes.
func (r *rescaling) apply(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	p := ir.NewPatch(r.m.Graph, "rescale channels")
	if err := r.a.Rescale(p, r.scale); err != nil {
		return err
	}
	r.report()
	if p.Empty() {
		return nil
	}
	if err := p.Apply(); err != nil {
		return err
	}
	_, err := op.Infer(r.m)
	return err
}

func (r *rescaling) report() {
	rows := map[*ir.Node]*group.Link{}
	for _, l := range r.a.Links {
		if l.Role == group.Row && rows[l.Node] == nil {
			rows[l.Node] = l
		}
	}
	for i := range r.layers {
		l := &r.layers[i]
		done, why := r.outcome(rows[l.Node])
		if l.Reason != "" {
			why = l.Reason
		}
		if done == "" || l.Weight == nil {
			r.env.Skip(l, why)
			continue
		}
		bytes := int64(len(l.Weight.Const.Bytes()))
		r.env.Done(compress.LayerReport{
			Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: l.Weight.Const.Type.String(), Bits: l.Weight.Const.Type.Bits(),
			Params: l.Params(), BytesBefore: bytes, BytesAfter: bytes, Reason: done,
		})
	}
}

// outcome says what happened to the channels that a layer computes, or why
// nothing did.
func (r *rescaling) outcome(l *group.Link) (done, why string) {
	if l == nil {
		return "", "nothing is known of the channels it computes"
	}
	n, least, most := 0, math.Inf(1), 0.0
	for _, u := range l.Units {
		if why == "" {
			why = r.why[u]
		}
		if s := r.scale[u]; s != 1 {
			n, least, most = n+1, min(least, s), max(most, s)
		}
	}
	switch {
	case n > 0:
		return fmt.Sprintf("%d of %d channels multiplied by %.3g to %.3g", n, len(l.Units), least, most), ""
	case why == "":
		why = "its channels are even already"
	}
	return "", why
}
