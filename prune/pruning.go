package prune

import (
	"fmt"
	"slices"
	"strings"

	"pare/calib"
	"pare/compress"
	"pare/group"
	"pare/ir"
)

// pruning is the work of a structured method on one network.
type pruning struct {
	m        *ir.Model
	env      *compress.Env
	layers   []compress.Layer // as they were
	shapes   [][]int          // of their weights, as they were
	skipped  map[*ir.Node]string
	left     map[*group.Group]string // groups that stay whole, and why
	table    *calib.Table
	a        *group.Analysis
	readers  []*reader
	idles    map[*reader][]bool
	known    map[*ir.Value][2][]float64 // moments
	view     *view                      // nil without samples
	computed map[string][]int           // units of what nodes compute, by name
}

func newPruning(m *ir.Model, env *compress.Env) *pruning {
	p := &pruning{
		m: m, env: env, layers: env.Layers(m), skipped: map[*ir.Node]string{}, left: map[*group.Group]string{}, idles: map[*reader][]bool{}, known: map[*ir.Value][2][]float64{}, computed: map[string][]int{},
		table: calib.Propagate(m, calib.Options{InputLo: env.Input.Lo, InputHi: env.Input.Hi}),
	}
	for _, l := range p.layers {
		var shape []int
		if l.Weight != nil {
			shape = slices.Clone(l.Weight.Const.Shape)
		}
		p.shapes = append(p.shapes, shape)
		if strings.HasPrefix(l.Reason, "the recipe skips") {
			p.skipped[l.Node] = l.Reason
		}
	}
	return p
}

// allowed reports whether the channels of a group may go: not those of layers that
// the recipe skips.
func (p *pruning) allowed(g *group.Group) bool {
	for _, l := range g.Links {
		if why := p.skipped[l.Node]; why != "" && l.Role != group.Column {
			p.left[g] = why
			return false
		}
	}
	return true
}

// report says what happened to every layer.
func (p *pruning) report(m *ir.Model, s *structure) {
	for i := range p.layers {
		l := &p.layers[i]
		before, after := p.shapes[i], []int(nil)
		if v := l.Node.In[l.Operand]; v.Const != nil {
			after = v.Const.Shape
		}
		if l.Weight == nil || slices.Equal(before, after) {
			p.env.Skip(l, p.whole(s, l))
			continue
		}
		size := int64(l.Weight.Const.Type.Bits() / 8)
		p.env.Done(compress.LayerReport{
			Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Format: strings.ToLower(l.Weight.Const.Type.String()), Bits: l.Weight.Const.Type.Bits(),
			Params: count(after), BytesBefore: size * int64(count(before)), BytesAfter: size * int64(count(after)),
			Reason: fmt.Sprintf("%s of %s weights", shapeText(after), shapeText(before)),
		})
	}
}

// whole is the reason why a layer kept all its channels.
func (p *pruning) whole(s *structure, l *compress.Layer) string {
	if l.Reason != "" {
		return l.Reason
	}
	var why []string
	for _, g := range s.a.Groups {
		for _, x := range g.Links {
			text := g.Reason
			if text == "" {
				text = p.left[g]
			}
			if x.Node == l.Node && x.Role == group.Row && text != "" && !slices.Contains(why, text) {
				why = append(why, text)
			}
		}
	}
	if why == nil {
		return "none of its channels went"
	}
	return "its channels stay: " + strings.Join(why, "; ")
}

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// shapeText is a shape as in 64x32x3x3.
func shapeText(shape []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", "x")
}
