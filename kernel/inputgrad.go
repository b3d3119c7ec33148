package kernel

import "fmt"

// ConvInputGrad is a planned gradient of a convolution by its source: dX from dY and
// the weights. Of the shape, SrcStride and DstStride are the pixel strides of dX and
// dY, ResStride does not count.
//
// At stride 1 it is a convolution by turned filters, in Winograd's form where
// WinogradTile says so. At other strides source pixels fall into classes by their
// residues, each of which sees a subset of the taps: a convolution of stride 1 for
// every class, whose pixels lie a stride apart.
type ConvInputGrad struct {
	s    ConvShape
	plan inputGradPlan
}

// inputGradPlan is one of the ways to compute the gradient.
type inputGradPlan interface {
	Tasks() int
	ScratchFloats() int
	newWeights(w *InputGradWeights)
	run(task int, dx, dy []float32, w *InputGradWeights, add bool, scratch []float32)
}

// NewConvInputGrad plans the gradient of the convolution of the shape, depthwise and
// grouped ones included.
func NewConvInputGrad(s ConvShape) (*ConvInputGrad, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	plan, err := planInputGrad(s)
	if err != nil {
		return nil, err
	}
	return &ConvInputGrad{s: s, plan: plan}, nil
}

func planInputGrad(s ConvShape) (inputGradPlan, error) {
	t := s.turned()
	simple := s.StrideH*s.StrideW == 1 && min(t.PadT, t.PadL, t.PadB, t.PadR) >= 0
	switch {
	case s.depthwise() && simple:
		d, err := NewDepthwise(t)
		return turnedDepthwise{d}, err
	case s.depthwise():
		return newPhaseDepthwise(s), nil
	case simple && WinogradTile(t) > 0:
		w, err := NewWinograd(t, WinogradTile(t))
		return turnedWinograd{w}, err
	case simple:
		c, err := NewConv(t)
		return turnedConv{c}, err
	}
	return newPhaseConv(s)
}

// Shape is the planned shape with defaults filled in.
func (g *ConvInputGrad) Shape() ConvShape { return g.s }

// Tasks is the number of independent tasks; they write disjoint parts of dX.
func (g *ConvInputGrad) Tasks() int { return g.plan.Tasks() }

// ScratchFloats is how much scratch one running task needs.
func (g *ConvInputGrad) ScratchFloats() int { return g.plan.ScratchFloats() }

// Run computes one task: the gradient of the pixels of dx, or what they hold plus
// the gradient if add. The weights come from NewWeights and Repack.
func (g *ConvInputGrad) Run(task int, dx, dy []float32, w *InputGradWeights, add bool, scratch []float32) {
	if w.s.filterShape() != g.s.filterShape() {
		panic(fmt.Sprintf("kernel: weights do not belong to the convolution %+v", g.s))
	}
	g.plan.run(task, dx, dy, w, add, scratch)
}

// filterShape is the part of a shape that packed weights depend on.
type filterShape struct{ c, kh, kw, strideH, strideW, padT, padL, dilH, dilW, groups, o int }

func (s *ConvShape) filterShape() filterShape {
	return filterShape{s.C, s.KH, s.KW, s.StrideH, s.StrideW, s.PadT, s.PadL, s.DilH, s.DilW, s.Groups, s.O}
}

// sumInto is an epilogue that adds to what stands in dx, if add.
func sumInto(dx []float32, add bool) Epilogue {
	if add {
		return Epilogue{Residual: dx}
	}
	return Epilogue{}
}

type turnedConv struct{ *Conv }

func (c turnedConv) newWeights(w *InputGradWeights) {
	w.newPhase(reversed(w.s.KH * w.s.KW))
	w.conv = &ConvWeights{kh: c.s.KH, kw: c.s.KW, c: c.s.C, groups: c.s.Groups, o: c.s.O, group: w.phases[0].group}
}

func (c turnedConv) run(task int, dx, dy []float32, w *InputGradWeights, add bool, scratch []float32) {
	ep := sumInto(dx, add)
	c.Run(task, dx, dy, w.conv, &ep, scratch)
}

type turnedWinograd struct{ *Winograd }

func (g turnedWinograd) newWeights(w *InputGradWeights) {
	w.wino = newWinogradWeights(g.s, g.m)
}

func (g turnedWinograd) run(task int, dx, dy []float32, w *InputGradWeights, add bool, scratch []float32) {
	ep := sumInto(dx, add)
	g.Run(task, dx, dy, w.wino, &ep, scratch)
}

type turnedDepthwise struct{ *Depthwise }

func (turnedDepthwise) ScratchFloats() int { return 0 }

func (turnedDepthwise) newWeights(w *InputGradWeights) { w.newDepth() }

func (d turnedDepthwise) run(task int, dx, dy []float32, w *InputGradWeights, add bool, _ []float32) {
	ep := sumInto(dx, add)
	d.Run(task, dx, dy, w.depth, &ep)
}
