package prune

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"

	"pare/compress"
	"pare/format"
	"pare/group"
	"pare/internal/fault"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// coded is a layer whose weights are codes while a change works on the numbers
// before their scales.
type coded struct {
	layer   *compress.Layer
	decoded *ir.Value // what the layer read
	numbers *ir.Value // the constant that stands in for it
	shape   []int
	kept    []int // positions along the axis of the scales that the change leaves
	summed  bool  // scales lie along channels that the layer reads
}

// mergeCodes merges channels of a quantised network that have the same codes, scales
// and other parameters, so that they compute the same: one stays, and what reads
// them reads it with the sum of their codes. The outputs stay the same. Channels
// whose sums have no code stay. It returns, by layer, what its weights became.
func mergeCodes(ctx context.Context, m *ir.Model) (map[string]*format.Encoded, error) {
	all := map[string]*format.Encoded{}
	for {
		// Sums of what reads merged channels may make more channels equal.
		some, err := mergeOnce(ctx, m)
		if err != nil || len(some) == 0 {
			return all, err
		}
		maps.Copy(all, some)
	}
}

func mergeOnce(ctx context.Context, m *ir.Model) (map[string]*format.Encoded, error) {
	barred := map[string]bool{}
	for {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		out, failed, err := tryCodes(ir.CloneModel(m), barred)
		if err != nil || len(failed) == 0 && len(out) == 0 {
			return nil, err
		}
		if len(failed) == 0 {
			out, _, err = tryCodes(m, barred)
			return out, err
		}
		for _, id := range failed {
			barred[id] = true
		}
	}
}

// tryCodes merges channels but those of barred groups. Where a sum has no code it
// names the groups that are to blame, and leaves the model in the middle.
func tryCodes(m *ir.Model, barred map[string]bool) (out map[string]*format.Encoded, failed []string, err error) {
	if _, err := op.Infer(m); err != nil {
		return nil, nil, err
	}
	layers := compress.Layers(m)
	list, err := numbersOf(m, layers)
	if err != nil || len(list) == 0 {
		return nil, nil, err
	}
	if _, err := op.Infer(m); err != nil {
		return nil, nil, err
	}
	a := group.Analyse(m, group.Removing)
	change, groups := equalUnits(a, list, barred)
	if len(groups) == 0 {
		return nil, nil, restore(m, list)
	}
	for _, c := range list {
		c.follow(a, change)
	}
	p := ir.NewPatch(m.Graph, "merge equal channels")
	if err := a.Apply(p, change); err != nil {
		return nil, nil, err
	}
	if err := p.Apply(); err != nil {
		return nil, nil, err
	}
	return encodeAgain(m, list, groups)
}

// numbersOf lets layers read the numbers before the scales of their codes.
func numbersOf(m *ir.Model, layers []compress.Layer) (list []*coded, err error) {
	p := ir.NewPatch(m.Graph, "read codes")
	seen := map[*ir.Value]bool{}
	for i := range layers {
		l := &layers[i]
		if l.Encoded == nil {
			continue
		}
		v := l.Node.In[l.Operand]
		t, ok := whole(l.Encoded)
		if !ok || seen[v] || v.Type.DType != tensor.Float32 || m.Graph.IsOutput(v) {
			continue
		}
		seen[v] = true
		c := &coded{layer: l, decoded: v, numbers: p.Const(v.Name+"_numbers", t), shape: t.Shape}
		p.Replace(v, c.numbers)
		list = append(list, c)
	}
	return list, p.Apply()
}

// restore lets layers read their codes again.
func restore(m *ir.Model, list []*coded) error {
	p := ir.NewPatch(m.Graph, "read codes again")
	for _, c := range list {
		p.Replace(c.numbers, c.decoded)
		p.RemoveConst(c.numbers)
	}
	return p.Apply()
}

// equalUnits merges units of a group that are the same in all that computes and
// changes them. It names the groups in which it found some.
func equalUnits(a *group.Analysis, list []*coded, barred map[string]bool) (*group.Change, []*group.Group) {
	of := map[*ir.Value]*coded{}
	for _, c := range list {
		of[c.numbers] = c
	}
	change := a.Keep()
	var found []*group.Group
	for _, g := range a.Groups {
		if g.Pinned() || barred[g.ID] {
			continue
		}
		first, left := map[string]int{}, len(g.Units)
		keys := unitKeys(g, of)
		for i, u := range g.Units {
			into, again := first[keys[i]]
			if !again || left <= least(len(g.Units)) {
				first[keys[i]] = u
				continue
			}
			change.Into[u] = into
			left--
		}
		if left < len(g.Units) {
			found = append(found, g)
		}
	}
	return change, found
}

// least is how many of n channels stay at least.
func least(n int) int { return min(n, max(8, (n+9)/10)) }

// unitKeys spell out, by unit of a group, all that computes and changes it.
func unitKeys(g *group.Group, of map[*ir.Value]*coded) []string {
	at := map[int]int{}
	for i, u := range g.Units {
		at[u] = i
	}
	keys := make([][]byte, len(g.Units))
	for _, l := range g.Links {
		if l.Role == group.Column {
			continue
		}
		t := l.Value().Const
		x, inner := tensor.Float64s(t), tensor.Len(t.Shape[l.Axis+1:])
		c := of[l.Value()]
		for pos, u := range l.Units {
			i, own := at[u]
			if !own {
				continue
			}
			for from := pos * inner; from < len(x); from += t.Shape[l.Axis] * inner {
				for _, v := range x[from : from+inner] {
					keys[i] = number(keys[i], v)
				}
			}
			if c != nil && c.scaledAlong(l.Axis) {
				keys[i] = c.spell(keys[i], pos)
			}
		}
	}
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = string(k)
	}
	return out
}

func number(key []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(key, math.Float64bits(v+0))
}

// scaledAlong reports whether every position along an axis has a scale of its own.
func (c *coded) scaledAlong(axis int) bool {
	s := c.layer.Encoded.Spec
	return s.Grain == format.PerChannel && s.Axis == axis
}

// spell adds the scale and the zero point of a position.
func (c *coded) spell(key []byte, pos int) []byte {
	e := c.layer.Encoded
	key = number(key, float64(tensor.Data[float32](e.Scale)[pos]))
	if e.Zero != nil {
		key = number(key, float64(tensor.Ints8(e.Zero)[pos]))
	}
	return key
}

// follow finds out what a change leaves of the scales.
func (c *coded) follow(a *group.Analysis, change *group.Change) {
	for _, l := range a.Links {
		if l.Value() != c.numbers || !c.scaledAlong(l.Axis) {
			continue
		}
		for pos, u := range l.Units {
			if change.Into[u] == u {
				c.kept = append(c.kept, pos)
			} else if l.Role == group.Column {
				c.summed = true
			}
		}
		return
	}
}

// encodeAgain stores what the change left in codes.
func encodeAgain(m *ir.Model, list []*coded, groups []*group.Group) (out map[string]*format.Encoded, failed []string, err error) {
	out = map[string]*format.Encoded{}
	p := ir.NewPatch(m.Graph, "store codes")
	for _, c := range list {
		l := c.layer
		now := l.Node.In[l.Operand]
		if now == c.numbers && slices.Equal(now.Const.Shape, c.shape) {
			p.Replace(now, c.decoded)
			p.RemoveConst(now)
			continue
		}
		e, ok := recode(l.Encoded, now.Const, c.kept)
		if !ok || c.summed {
			blame := readBy(l.Node, groups)
			if blame == nil {
				return nil, nil, fault.AtNode(l.Node, errors.New("its codes cannot follow the channels that are merged"))
			}
			failed = append(failed, blame...)
			continue
		}
		p.Replace(now, format.Emit(p, m, l.Name+"_merged", e, tensor.Float32))
		p.RemoveConst(now)
		out[l.Name] = e
	}
	if failed != nil {
		return nil, failed, nil
	}
	if err := p.Apply(); err != nil {
		return nil, nil, err
	}
	for _, c := range list {
		if err := drop(m.Graph, c.decoded); err != nil {
			return nil, nil, err
		}
	}
	return out, nil, nil
}

// drop removes what computes a value that nothing reads any more.
func drop(g *ir.Graph, v *ir.Value) error {
	if v == nil || len(v.Uses()) > 0 || g.IsOutput(v) {
		return nil
	}
	n, p := v.Producer(), ir.NewPatch(g, "drop codes that were replaced")
	if n == nil {
		if v.Const == nil || slices.Contains(g.Inputs, v) {
			return nil
		}
		p.RemoveConst(v)
		return p.Apply()
	}
	if slices.ContainsFunc(n.Out, func(o *ir.Value) bool { return o != nil && (len(o.Uses()) > 0 || g.IsOutput(o)) }) {
		return nil
	}
	in := n.In
	p.RemoveNode(n)
	if err := p.Apply(); err != nil {
		return err
	}
	for _, x := range in {
		if err := drop(g, x); err != nil {
			return err
		}
	}
	return nil
}

// readBy names the groups whose channels a node reads.
func readBy(n *ir.Node, groups []*group.Group) (ids []string) {
	for _, g := range groups {
		if slices.ContainsFunc(g.Links, func(l *group.Link) bool { return l.Node == n && l.Role == group.Column }) {
			ids = append(ids, g.ID)
		}
	}
	return ids
}
