package engine

import (
	"context"
	"slices"

	"pare/format"
	"pare/ir"
	"pare/pass"
)

// decodeWeights replaces compressed constants by their values.
func decodeWeights(m *ir.Model) error {
	g := m.Graph
	p := ir.NewPatch(g, "decode weights")
	for _, n := range g.Nodes {
		if len(n.Out) != 1 || n.Out[0] == nil || slices.Contains(g.Outputs, n.Out[0]) {
			continue
		}
		e, ok := format.MatchWeight(m, n.Out[0])
		if !ok {
			continue
		}
		t, err := e.Decode(0)
		if err != nil {
			return err
		}
		p.Replace(n.Out[0], p.Const(n.Out[0].Name+"_decoded", t))
	}
	if p.Empty() {
		return nil
	}
	return p.Apply()
}

// growth is how many bytes a folded constant may take beyond those that it
// replaces: memory is dear in files, not here.
const growth = 4 << 20

// simplify folds constants and removes what has no effect.
func simplify(ctx context.Context, m *ir.Model) error {
	_, err := pass.SimplifyWith(ctx, m, pass.Options{Growth: growth})
	return err
}
