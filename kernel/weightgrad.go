package kernel

// ConvWeightGrad is a planned gradient of a convolution by its weights and bias, from
// the source X and dY: sums of outer products over all pixels. Of the shape, SrcStride
// and DstStride are the pixel strides of X and dY, ResStride does not count.
//
// The batch is cut into slices by shape alone. Tasks of Run sum the products of one
// slice in memory of their own, those of Sum add the slices in order.
type ConvWeightGrad struct {
	s    ConvShape
	plan weightGradPlan
}

// weightGradPlan is one of the ways to compute the gradient.
type weightGradPlan interface {
	Tasks() int
	ScratchFloats() int
	PartialFloats() int
	SumTasks() int
	SumFloats() int
	Run(task int, partial, x, dy []float32, bias bool, scratch []float32)
	Sum(task int, dw, dbias, partial, scratch []float32)
}

// NewConvWeightGrad plans the gradient of the convolution of the shape, depthwise and
// grouped ones included.
func NewConvWeightGrad(s ConvShape) (*ConvWeightGrad, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if m := winogradGradTile(s); m > 0 {
		return newConvWeightGradBy(s, m)
	}
	if s.depthwise() {
		return &ConvWeightGrad{s: s, plan: newDepthGrad(s)}, nil
	}
	return &ConvWeightGrad{s: s, plan: newTapGrad(s)}, nil
}

// newConvWeightGradBy plans in Winograd's form.
func newConvWeightGradBy(s ConvShape, m int) (*ConvWeightGrad, error) {
	plan, err := newWinogradGrad(s, m)
	if err != nil {
		return nil, err
	}
	return &ConvWeightGrad{s: s, plan: plan}, nil
}

// Shape is the planned shape with defaults filled in.
func (g *ConvWeightGrad) Shape() ConvShape { return g.s }

// Tasks is the number of independent tasks of Run.
func (g *ConvWeightGrad) Tasks() int { return g.plan.Tasks() }

// ScratchFloats is how much scratch one running task of Run needs.
func (g *ConvWeightGrad) ScratchFloats() int { return g.plan.ScratchFloats() }

// PartialFloats is how much memory all tasks share for the sums of slices.
func (g *ConvWeightGrad) PartialFloats() int { return g.plan.PartialFloats() }

// SumTasks is the number of independent tasks of Sum, which need all of Run done.
func (g *ConvWeightGrad) SumTasks() int { return g.plan.SumTasks() }

// SumFloats is how much scratch one running task of Sum needs.
func (g *ConvWeightGrad) SumFloats() int { return g.plan.SumFloats() }

// Run computes the products of one task; with bias the sums of dY, too.
func (g *ConvWeightGrad) Run(task int, partial, x, dy []float32, bias bool, scratch []float32) {
	g.plan.Run(task, partial, x, dy, bias, scratch)
}

// Sum adds the part of one task to dw, in OIHW order, [O][C/Groups][KH][KW], and to
// dbias, [O], unless that is nil. Run must have been called with bias if it is not.
func (g *ConvWeightGrad) Sum(task int, dw, dbias, partial, scratch []float32) {
	g.plan.Sum(task, dw, dbias, partial, scratch)
}
