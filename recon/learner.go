package recon

import (
	"fmt"
	"slices"

	"pare/grad"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

const training = op.TrainingDomain

// learner is the training form of a unit: a graph in which codes, scales and biases are
// variables, and its program.
type learner struct {
	part    *ir.Model // as deployed
	model   *ir.Model // as learned
	layers  []*latent
	grids   []learnedGrid
	program *grad.Program
	params  map[string]*grad.Param
	data    map[string]int // by layer: index of the grid of what it reads
}

// learnedGrid is a grid of data; scale is nil where it stays as it is.
type learnedGrid struct {
	gridded
	scale *ir.Value
}

// newLearner puts operators of training in place of the forms of a deployed part.
// original gives the float weights of a layer by its name, nil to leave it as it is;
// own tells whether nothing outside the part reads a constant or a decoded value.
func newLearner(part *ir.Model, names []string, s *Settings, original func(name string) []float32, own func(v *ir.Value) bool) (*learner, error) {
	l := &learner{part: part, model: ir.CloneModel(part), params: map[string]*grad.Param{}, data: map[string]int{}}
	if _, err := op.Infer(l.model); err != nil {
		return nil, err
	}
	p := ir.NewPatch(l.model.Graph, "learn")
	pairs := grids(l.model)
	decodes := map[*ir.Node]bool{}
	for _, f := range forms(l.model, names) {
		float := original(key(f.Node))
		if float == nil || decodes[f.decode] || !own(f.decode.Out[0]) {
			continue
		}
		decodes[f.decode] = true
		for i, g := range pairs {
			if g.decoded == f.Node.In[f.Input] {
				l.data[key(f.Node)] = i
			}
		}
		l.layers = append(l.layers, l.weights(p, f, float, s))
	}
	if len(l.layers) == 0 {
		return nil, fmt.Errorf("nothing in it can be learned")
	}
	l.pairs(p, pairs, s, own)
	if err := p.Apply(); err != nil {
		return nil, err
	}
	return l, nil
}

// weights makes variables of a layer's codes and bias.
func (l *learner) weights(p *ir.Patch, f form, float []float32, s *Settings) *latent {
	out := &latent{form: f, float: float}
	var learned *ir.Value
	switch e := f.Encoded; {
	case s.Variable == "h" || e.Spec.Asymmetric || e.Levels != nil && !(e.Spec.Exponent > 0):
		learned = out.soften(p, s.Select)
	case s.Variable == "soft":
		learned = out.free(p, 4)
	default:
		learned = out.free(p, 0)
	}
	learned.Type = ir.TensorType(tensor.Float32, ir.Dims(f.Encoded.Codes.Shape)...)
	p.Replace(f.decode.Out[0], learned)
	if b := f.biases(); b != nil {
		out.bias = p.Const(f.bias.Name+"_b", tensor.Of([]int{len(b)}, b))
		if f.codes == nil {
			out.bias.Const.Shape = slices.Clone(f.bias.Const.Shape)
		}
		p.SetInput(f.Node, 2, out.bias)
	}
	return out
}

// pairs puts learned grids of data in place of pairs of operators.
func (l *learner) pairs(p *ir.Patch, list []gridded, s *Settings, own func(v *ir.Value) bool) {
	scales := map[*ir.Value]*ir.Value{}
	for _, g := range list {
		if scales[g.scale] == nil {
			scales[g.scale] = p.Const(g.scale.Name+"_s", tensor.Scalar(g.Scale))
		}
		lg := learnedGrid{gridded: g}
		if s.AScale && own(g.scale) {
			lg.scale = scales[g.scale]
		}
		l.grids = append(l.grids, lg)
		out := fake(p, g, scales[g.scale])
		if s.Drop > 0 {
			mixed := &ir.Value{Name: p.Unique(g.decoded.Name + "_mixed"), Type: g.decoded.Type}
			p.AddNode(&ir.Node{Name: mixed.Name, Op: "Mix", Domain: training, In: []*ir.Value{g.source, out}, Out: []*ir.Value{mixed},
				Attrs: []ir.Attr{{Name: "p", Value: float32(s.Drop)}}})
			out = mixed
		}
		p.Replace(g.decoded, out)
	}
	l.model.SetOpset(training, 1)
}

// fake adds the operator that rounds to a grid while gradients pass.
func fake(p *ir.Patch, g gridded, scale *ir.Value) *ir.Value {
	out := &ir.Value{Name: p.Unique(g.decoded.Name + "_fake"), Type: g.decoded.Type}
	n := &ir.Node{Name: out.Name, Op: "FakeQuantize", Domain: training, In: []*ir.Value{g.source, scale}, Out: []*ir.Value{out}}
	if g.Exponent != 0 {
		codes, levels := g.Tables()
		n.Op = "FakePowerQuantize"
		n.In = append(n.In, p.Const(out.Name+"_codes", codes), p.Const(out.Name+"_levels", levels))
	} else {
		n.In = append(n.In, p.Const(out.Name+"_zero", tensor.Scalar(float32(g.Zero))))
		n.Attrs = []ir.Attr{{Name: "lo", Value: int64(0)}, {Name: "hi", Value: int64(1<<g.Bits - 1)}}
	}
	p.AddNode(n)
	return out
}

// start makes the program; memory bounds what it keeps for gradients.
func (l *learner) start(s *Settings, threads int, memory int64, seed uint64) error {
	var list []*ir.Value
	for _, w := range l.layers {
		list = append(list, w.v)
		if s.Scale {
			list = append(list, w.scale)
		}
		if w.alpha != nil && w.form.Encoded.Levels != nil {
			list = append(list, w.alpha)
		}
		if s.Bias && w.bias != nil {
			list = append(list, w.bias)
		}
	}
	for _, g := range l.grids {
		if g.scale != nil && !slices.Contains(list, g.scale) {
			list = append(list, g.scale)
		}
	}
	var err error
	l.program, err = grad.New(l.model, grad.Options{Params: list, Threads: threads, Memory: memory, Seed: seed})
	if err != nil {
		return err
	}
	for _, p := range l.program.Params() {
		l.params[p.Value.Name] = p
	}
	return nil
}

// of is what a variable holds by now: learned, or as it was.
func (l *learner) of(v *ir.Value) []float32 {
	if p := l.params[v.Name]; p != nil {
		return p.Data
	}
	return tensor.Data[float32](v.Const)
}
