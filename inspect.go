package pare

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"pare/compress"
	"pare/cost"
	"pare/group"
	"pare/ir"
	"pare/op"
	"pare/pass"
	"pare/tensor"
)

// Inspection is what is in a network and what can be done with it.
type Inspection struct {
	Model      ModelInfo       `json:"model"`
	Inputs     []ValueInfo     `json:"inputs"`
	Outputs    []ValueInfo     `json:"outputs"`
	Operators  []OperatorCount `json:"operators"`
	Layers     []LayerInfo     `json:"layers"`
	Redundancy Redundancy      `json:"redundancy"`
	BatchNorms BatchNorms      `json:"batch_norms"`
	Groups     []GroupInfo     `json:"groups"`
	Data       *Preparation    `json:"data,omitempty"` // preprocessing that would be used
	// Sensitivity is nil where it was not asked for.
	Sensitivity *Sensitivity `json:"sensitivity,omitempty"`
	Warnings    []string     `json:"warnings"`
}

// ModelInfo is Info with what the file says of its origin.
type ModelInfo struct {
	Info
	IRVersion int64  `json:"ir_version"`
	Producer  string `json:"producer,omitempty"`
	Recipe    string `json:"recipe,omitempty"` // that pare applied to it
}

// ValueInfo is the name and type of an input or output.
type ValueInfo struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// OperatorCount says how often an operator occurs.
type OperatorCount struct {
	Op    string `json:"op"`
	Count int    `json:"count"`
	Known bool   `json:"known"` // whether pare can run it
}

// LayerInfo is one layer with weights.
type LayerInfo struct {
	Name   string `json:"name"`
	Op     string `json:"op"`
	Kind   string `json:"kind"`
	Shape  []int  `json:"shape,omitempty"` // of the weights
	Params int    `json:"params"`
	MACs   int64  `json:"macs"` // 0 where a size is left open
	// Multiplications are those left when each distinct product is computed once.
	Multiplications int64 `json:"multiplications,omitempty"`
	Additions       int64 `json:"additions,omitempty"`
	// Repeats says how weights repeat; nil for layers whose weights are not constant
	// or multiply nothing.
	Repeats      *cost.Reuse `json:"repeats,omitempty"`
	Bytes        int64       `json:"bytes"`            // of the weights
	Format       string      `json:"format,omitempty"` // of compressed weights
	Compressible bool        `json:"compressible"`
	Reason       string      `json:"reason"` // why not compressible
}

// BatchNorms says which batch-norms can be folded into their neighbours.
type BatchNorms struct {
	Total    int             `json:"total"`
	Foldable int             `json:"foldable"`
	Kept     []compress.Kept `json:"kept"`
}

// GroupInfo is a group of channels that can only change together.
type GroupInfo struct {
	ID     string `json:"id"`     // the first node that computes them
	Size   int    `json:"size"`   // channels
	Pinned bool   `json:"pinned"` // whether their number must stay
	Reason string `json:"reason"` // why pinned
	// Redundant channels, which can go at no loss:
	Dead      int `json:"dead"`      // always 0, or read by nothing but zeros
	Equal     int `json:"equal"`     // computed exactly as another one
	Multiples int `json:"multiples"` // positive multiples of another one
}

// Inspect looks into the model; it does not change it.
func (m *Model) Inspect(ctx context.Context) (*Inspection, error) {
	work, trouble := m.plain(ctx, 0)
	counts := cost.Of(work)
	info, err := m.info(counts)
	if err != nil {
		return nil, err
	}
	recipe, _ := m.ir.Meta(compress.MetaRecipe)
	out := &Inspection{
		Model:   ModelInfo{*info, m.ir.IRVersion, m.ir.Producer, recipe},
		Inputs:  valueInfos(slices.DeleteFunc(slices.Clone(work.Graph.Inputs), func(v *ir.Value) bool { return v.Const != nil })),
		Outputs: valueInfos(work.Graph.Outputs), Operators: operators(m.ir), Layers: []LayerInfo{}, Warnings: []string{},
	}
	known := countsOf(counts)
	for _, l := range compress.Layers(work) {
		out.Layers = append(out.Layers, layerInfo(&l, known[l.Name]))
	}
	out.Redundancy = redundancy(counts)
	out.Groups = groups(work)
	out.warn(trouble)
	if out.BatchNorms, err = foldable(ctx, work); err != nil {
		return nil, named(m.path, err)
	}
	p, err := m.Preparation()
	if err != nil {
		return nil, err
	}
	if p.Source != "" {
		out.Data = &p
	}
	return out, nil
}

// warn lists what limits the inspection or the use of the network.
func (d *Inspection) warn(trouble error) {
	if trouble != nil {
		d.Warnings = append(d.Warnings, trouble.Error())
	}
	free := 0
	for _, l := range d.Layers {
		if l.MACs == 0 && l.Kind != string(compress.Other) && l.Kind != string(compress.Embedding) {
			free++
		}
	}
	if free > 0 {
		d.Warnings = append(d.Warnings, fmt.Sprintf("the multiply-accumulates of %d layers are not counted, as sizes are left open", free))
	}
	for _, o := range d.Operators {
		if !o.Known {
			d.Warnings = append(d.Warnings, "operator "+o.Op+" is not known: it passes through untouched, but the network cannot be run here")
		}
	}
}

func valueInfos(values []*ir.Value) []ValueInfo {
	out := []ValueInfo{}
	for _, v := range values {
		out = append(out, ValueInfo{v.Name, v.Type.String()})
	}
	return out
}

func layerInfo(l *compress.Layer, c *cost.Layer) LayerInfo {
	out := LayerInfo{Name: l.Name, Op: l.Node.Op, Kind: string(l.Kind), Params: l.Params(), Reason: l.Reason}
	out.MACs, _ = op.MACs(l.Node)
	if c != nil {
		out.Multiplications, out.Additions = c.Multiplications, c.Additions
	}
	if c != nil && c.Channels > 0 {
		out.Repeats = &c.Reuse
	}
	switch {
	case l.Encoded != nil:
		e := l.Encoded
		out.Shape, out.Format = e.Codes.Shape, e.Spec.String()
		out.Bytes = int64(len(e.Codes.Bytes()) + len(e.Scale.Bytes()))
	case l.Weight != nil:
		out.Shape, out.Bytes = l.Weight.Const.Shape, int64(len(l.Weight.Const.Bytes()))
		if out.Reason == "" && !finite(l.Weight.Const) {
			out.Reason = "its weights hold numbers that are not finite"
		}
	}
	out.Compressible = out.Reason == ""
	return out
}

func finite(t *tensor.Tensor) bool {
	for _, x := range tensor.Float32s(t) {
		if x-x != 0 {
			return false
		}
	}
	return true
}

// operators counts the operators of the graph, its sub-graphs and functions.
func operators(m *ir.Model) []OperatorCount {
	counts := map[string]*OperatorCount{}
	var walk func(g *ir.Graph)
	walk = func(g *ir.Graph) {
		for _, n := range g.Nodes {
			name := n.Op
			if d := ir.CanonicalDomain(n.Domain); d != "" {
				name = d + "::" + n.Op
			}
			c := counts[name]
			if c == nil {
				c = &OperatorCount{Op: name, Known: m.Function(n) != nil || op.Find(n.Domain, n.Op) != nil}
				counts[name] = c
			}
			c.Count++
			for _, s := range n.Subgraphs() {
				walk(s)
			}
		}
	}
	walk(m.Graph)
	for _, f := range m.Functions {
		walk(f.Body)
	}
	out := []OperatorCount{}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, *counts[name])
	}
	return out
}

// groups lists the coupled channels.
func groups(m *ir.Model) []GroupInfo {
	out := []GroupInfo{}
	a := group.Analyse(m, group.Removing)
	for i, r := range a.Redundant(m) {
		g := a.Groups[i]
		out = append(out, GroupInfo{g.ID, len(g.Units), g.Pinned(), g.Reason, r.Dead, r.Equal, r.Multiples})
	}
	return out
}

// foldable folds the batch-norms of a model that is thrown away afterwards.
func foldable(ctx context.Context, work *ir.Model) (BatchNorms, error) {
	r, err := pass.FoldBatchNorms(ctx, work)
	if err != nil {
		return BatchNorms{}, err
	}
	out := BatchNorms{Total: r.Total, Foldable: r.Folded, Kept: []compress.Kept{}}
	for _, k := range r.Kept {
		out.Kept = append(out.Kept, compress.Kept(k))
	}
	return out, nil
}
