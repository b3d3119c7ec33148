package quant

import (
	"context"
	"fmt"
	"slices"

	"pare/calib"
	"pare/compress"
	"pare/internal/par"
	"pare/ir"
	"pare/tensor"
)

// rounding is a run of GPTQ.
type rounding struct {
	*GPTQ
	m        *ir.Model
	env      *compress.Env
	w        *weights
	stages   int // how many there are
	at       *frontier
	original *ir.Model         // to measure on, nil for m
	late     map[*ir.Node]bool // layers that are not rounded yet
	alike    int               // layers whose data do not tell how to round
}

// job is a layer to round.
type job struct {
	plan
	meets []meeting // nodes that read its weights
	depth int       // how many layers lie before it
	size  int64     // bytes of products
	why   string    // why there is nothing to measure, "" where there is
}

// meeting is one node that reads a layer's weights.
type meeting struct {
	node  *ir.Node
	input int       // where the data come in
	given *ir.Value // the data before anything was quantised
	axis  int       // of dense data that is summed over, -1 for convolutions
}

// longestRow is the number of weights of a row up to which products of data are kept:
// half a gigabyte.
const longestRow = 8192

// stageBytes bounds the products of data of layers that are measured together.
const stageBytes = 64 << 20

// plan puts layers into stages. Layers of one stage are measured in one run over the
// data, as far as those of stages before are rounded.
func (r *rounding) plan(plans []plan) [][]*job {
	depth := r.depths(plans)
	var jobs []*job
	for _, p := range plans {
		j := &job{plan: p, depth: depth[p.layer.Node]}
		j.find(r.env.Layers(r.m))
		if r.Inputs == "float" {
			j.depth = 0
		}
		jobs = append(jobs, j)
	}
	slices.SortStableFunc(jobs, func(a, b *job) int { return a.depth - b.depth })
	r.share(jobs)
	for _, j := range jobs {
		for _, o := range j.meets {
			r.late[o.node] = r.Inputs != "float"
		}
	}
	var stages [][]*job
	size, last := int64(0), -1
	for _, j := range jobs {
		if j.depth != last || size+j.size > stageBytes {
			stages, size, last = append(stages, nil), 0, j.depth
		}
		stages[len(stages)-1] = append(stages[len(stages)-1], j)
		size += j.size
	}
	r.stages = len(stages)
	return stages
}

// share joins depths where fewer stages are asked for.
func (r *rounding) share(jobs []*job) {
	var depths []int
	for _, j := range jobs {
		depths = append(depths, j.depth)
	}
	depths = slices.Compact(depths)
	if r.Stages == 0 || len(depths) <= r.Stages {
		return
	}
	for _, j := range jobs {
		j.depth = slices.Index(depths, j.depth) * r.Stages / len(depths)
	}
}

// depths counts, for every layer, the layers with plans on the longest way to it.
func (r *rounding) depths(plans []plan) map[*ir.Node]int {
	planned := map[*ir.Node]bool{}
	for _, p := range plans {
		planned[p.layer.Node] = true
	}
	at, out := map[*ir.Value]int{}, map[*ir.Node]int{}
	for _, n := range r.m.Graph.Nodes {
		d := 0
		read := func(v *ir.Value) {
			if v != nil {
				d = max(d, at[v])
			}
		}
		for _, v := range n.In {
			read(v)
		}
		for _, s := range n.Subgraphs() {
			for _, v := range s.Captures() {
				read(v)
			}
		}
		if out[n] = d; planned[n] {
			d++
		}
		for _, v := range n.Out {
			if v != nil {
				at[v] = d
			}
		}
	}
	return out
}

// find fills in who reads the layer's weights, or why that does not help.
func (j *job) find(layers []compress.Layer) {
	l, shape := j.layer, j.layer.Weight.Const.Shape
	for i := range layers {
		if o := &layers[i]; o.Node == l.Node || o.SharesWith == l.Name {
			j.meets = append(j.meets, meetingOf(o))
		}
	}
	row := tensor.Len(shape) / max(1, shape[l.Out])
	groups := max(1, l.Node.Int("group", 1))
	switch {
	case l.Kind == compress.Embedding || l.Kind == compress.Other:
		j.why = "it multiplies no data"
	case l.Kind == compress.ConvTranspose:
		j.why = "of transposed convolutions products of data are not known"
	case l.Kind == compress.Dense && len(shape) != 2:
		j.why = "its weights are several matrices"
	case row > longestRow:
		j.why = fmt.Sprintf("rows of %d weights are too long, %d is the limit", row, longestRow)
	case row < 2:
		j.why = "rows of one weight leave nothing to make up for"
	case l.Kind != compress.Dense:
		j.size = calib.GramBytes(groups, row)
	default:
		j.size = calib.GramBytes(1, row)
	}
}

func meetingOf(l *compress.Layer) meeting {
	m := meeting{node: l.Node, input: l.Input, axis: -1}
	if dataOf(l) == nil {
		return m
	}
	m.given = dataOf(l)
	if l.Kind == compress.Dense {
		m.axis = channelAxis(l, m.given)
	}
	return m
}

// data is what a node reads now, or read in the network as it was.
func (r *rounding) data(o meeting) *ir.Value {
	if r.original != nil {
		return r.original.Graph.Value(o.given.Name)
	}
	return o.node.In[o.input]
}

// enoughRows and rowsPerWeight say how many rows of data tell the products of a layer:
// so many, or so many for each weight of a row.
const (
	enoughRows    = 16384
	rowsPerWeight = 64
)

// gram starts the products of a layer.
func (r *rounding) gram(j *job) (*calib.Gram, error) {
	l, shape := j.layer, j.layer.Weight.Const.Shape
	row := tensor.Len(shape) / shape[l.Out]
	places := r.Places
	if places == 0 {
		n := max(1, r.samples())
		places = (max(enoughRows, rowsPerWeight*row) + n - 1) / n
	}
	if l.Kind == compress.Dense {
		return calib.NewDenseGram(row, j.meets[0].axis, places, r.env.Threads), nil
	}
	return calib.NewConvGram(l.Node, shape, places, r.env.Threads)
}

// samples is how many there are to run.
func (r *rounding) samples() int {
	n := r.env.Data.Set.Len()
	if r.env.Data.Samples > 0 {
		n = min(n, r.env.Data.Samples)
	}
	return n
}

// measure runs the network up to what the layers of a stage read.
func (r *rounding) measure(ctx context.Context, jobs []*job, done func(n, of int)) ([]*calib.Gram, error) {
	grams := make([]*calib.Gram, len(jobs))
	for i, j := range jobs {
		if j.why != "" {
			continue
		}
		var err error
		if grams[i], err = r.gram(j); err != nil {
			return nil, layerError(j.layer, err)
		}
	}
	values, read := r.values(jobs)
	if len(values) == 0 {
		return grams, nil
	}
	err := r.at.run(ctx, r.late, values, func(results []*tensor.Tensor) error {
		for k, v := range values {
			for _, i := range read[v] {
				if err := grams[i].Add(results[k]); err != nil {
					return layerError(jobs[i].layer, err)
				}
			}
		}
		return nil
	}, done)
	par.Each(len(grams), r.env.Threads, func(i int) {
		if grams[i] != nil {
			grams[i].Finish()
		}
	})
	return grams, err
}

// values are what the layers of a stage read, and which of them read each.
func (r *rounding) values(jobs []*job) (values []*ir.Value, read map[*ir.Value][]int) {
	read = map[*ir.Value][]int{}
	for i, j := range jobs {
		if j.why != "" {
			continue
		}
		for _, o := range j.meets {
			v := r.data(o)
			if read[v] == nil {
				values = append(values, v)
			}
			read[v] = append(read[v], i)
		}
	}
	return values, read
}

// replay moves the frontier as measure does, for a stage whose results are known.
func (r *rounding) replay(ctx context.Context, jobs []*job) error {
	if !r.at.moves(r.late) {
		return nil
	}
	values, _ := r.values(jobs)
	return r.at.run(ctx, r.late, values, func([]*tensor.Tensor) error { return nil }, nil)
}
