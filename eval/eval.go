package eval

import (
	"context"
	"fmt"
	"math"
	"time"

	"pare/dataset"
	"pare/ir"
	"pare/tensor"
)

// Network is what can be measured: something with named inputs and outputs
// that runs.
type Network interface {
	Inputs() []*ir.Value
	Outputs() []*ir.Value
	Run(ctx context.Context, inputs map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error)
}

// Options say how to measure. The zero value measures all samples, 16 at a time.
type Options struct {
	Samples   int                   // at most so many; 0 for all
	Batch     int                   // samples per run; 0 for 16
	Output    string                // the output that is judged; "" for the first
	Reference Network               // compared with, when not nil
	Progress  func(done, total int) // called after each batch, when not nil
}

// Result is what was measured. Fractions are between 0 and 1.
type Result struct {
	Model        string      `json:"model,omitempty"`
	Data         string      `json:"data,omitempty"`
	Prepared     string      `json:"prepared,omitempty"`
	Samples      int         `json:"samples"`
	Top1         *float64    `json:"top1,omitempty"`
	Top1Interval *[2]float64 `json:"top1_interval,omitempty"` // 95 %, Wilson
	Top5         *float64    `json:"top5,omitempty"`
	NLL          *float64    `json:"nll,omitempty"`        // mean, natural logarithm
	NLLError     *float64    `json:"nll_stderr,omitempty"` // standard error of the mean over sequences
	Spearman     *float64    `json:"spearman,omitempty"`   // correlation of cosines with the scores of pairs
	Seconds      float64     `json:"seconds"`              // inside the network that is judged
	Against      *Against    `json:"against,omitempty"`
	Notes        []string    `json:"notes,omitempty"`
}

// Against says how closely a network follows its reference.
type Against struct {
	Model       string   `json:"model,omitempty"`
	Agreement   float64  `json:"agreement"` // share of equal top classes
	SNR         float64  `json:"snr_db"`    // of the judged output; capped at 200 for identical outputs
	MaxAbsError float64  `json:"max_abs_error"`
	Top1        *float64 `json:"top1,omitempty"`
	NLL         *float64 `json:"nll,omitempty"`
	Spearman    *float64 `json:"spearman,omitempty"`
	Cosine      *float64 `json:"cosine,omitempty"` // mean, of sentence vectors to the reference's
}

// notFinite is noted where figures stand for infinity, which JSON cannot hold.
const notFinite = "the outputs hold numbers that are not finite"

// identicalSNR stands for an infinite ratio, which JSON cannot hold.
const identicalSNR = 200

// DefaultBatch is how many samples are run at a time where nobody says.
const DefaultBatch = 16

// Run measures net on set.
func Run(ctx context.Context, net Network, set dataset.Set, o Options) (Result, error) {
	set = dataset.Head(set, o.Samples)
	set, err := o.batches(net, set)
	if err != nil {
		return Result{}, err
	}
	out, err := judged(net, o.Output)
	if err != nil {
		return Result{}, err
	}
	m := &measure{task: set.Task()}
	var ref *measure
	if o.Reference != nil {
		ref = &measure{task: set.Task()}
		if _, err := judged(o.Reference, out); err != nil {
			return Result{}, fmt.Errorf("the reference: %w", err)
		}
	}
	var drift drift
	res := Result{Samples: set.Len(), Prepared: set.Prepared()}
	for lo := 0; lo < set.Len(); lo += o.Batch {
		hi := min(lo+o.Batch, set.Len())
		b, err := set.Batch(ctx, lo, hi)
		if err != nil {
			return Result{}, err
		}
		in, notes, err := Bind(net.Inputs(), b, hi-lo)
		if err != nil {
			return Result{}, err
		}
		res.Notes = notes
		start := time.Now()
		got, err := runOne(ctx, net, in, out)
		if err != nil {
			return Result{}, err
		}
		res.Seconds += time.Since(start).Seconds()
		if err := m.add(got, b, in); err != nil {
			return Result{}, err
		}
		if ref != nil {
			want, err := runOne(ctx, o.Reference, in, out)
			if err != nil {
				return Result{}, fmt.Errorf("the reference: %w", err)
			}
			if err := ref.add(want, b, in); err != nil {
				return Result{}, fmt.Errorf("the reference: %w", err)
			}
			if set.Task() == dataset.Similarity {
				got, want = m.pairs.vectors, ref.pairs.vectors
			}
			if err := drift.add(got, want); err != nil {
				return Result{}, err
			}
		}
		if o.Progress != nil {
			o.Progress(hi, set.Len())
		}
	}
	m.report(&res)
	if ref != nil {
		var r Result
		ref.report(&r)
		a := drift.report()
		if a.MaxAbsError == math.MaxFloat64 {
			res.Notes = append(res.Notes, notFinite)
		}
		a.Top1, a.NLL, a.Spearman = r.Top1, r.NLL, r.Spearman
		if set.Task() == dataset.Similarity {
			a.Cosine = finite(drift.cosines / float64(max(1, drift.rows)))
		}
		res.Against = &a
	}
	return res, nil
}

// batches settles how many samples are run at a time: as many as the network
// takes, where that is fixed. Samples that fill no batch are left out.
func (o *Options) batches(net Network, set dataset.Set) (dataset.Set, error) {
	if o.Batch <= 0 {
		o.Batch = DefaultBatch
	}
	fixed := ir.FixedBatch(net.Inputs())
	if fixed == 0 {
		return set, nil
	}
	if set.Len() < fixed {
		return nil, fmt.Errorf("%d samples, but the network takes %d at a time", set.Len(), fixed)
	}
	o.Batch = fixed
	return dataset.Head(set, set.Len()-set.Len()%fixed), nil
}

// judged checks that the network has the output, and names the first one for "".
func judged(net Network, name string) (string, error) {
	for _, v := range net.Outputs() {
		if name == "" || v.Name == name {
			return v.Name, nil
		}
	}
	return "", fmt.Errorf("the network has no output %q", name)
}

// logits is the judged output as rows of scores.
type logits struct {
	rows, classes int
	x             []float32
}

func runOne(ctx context.Context, net Network, in map[string]*tensor.Tensor, out string) (logits, error) {
	res, err := net.Run(ctx, in)
	if err != nil {
		return logits{}, err
	}
	t := res[out]
	if t == nil {
		return logits{}, fmt.Errorf("output %q is not a tensor", out)
	}
	if t.Type == tensor.String {
		return logits{}, fmt.Errorf("output %q holds strings", out)
	}
	x := tensor.Float32s(t)
	l := logits{rows: 1, classes: len(x), x: x}
	if r := t.Rank(); r > 0 && len(x) > 0 {
		// Trailing dimensions of size one (a pooled map) belong to the classes.
		last := r - 1
		for last > 1 && t.Shape[last] == 1 {
			last--
		}
		l.classes = t.Shape[last]
		l.rows = len(x) / l.classes
	}
	return l, nil
}

// measure accumulates what is known from labels.
type measure struct {
	task       dataset.Task
	n          int
	top1, top5 int
	perSeq     []float64 // mean negative log-likelihood of each sequence
	tokens     []int     // tokens judged in each sequence
	pairs      similarity
}

func (m *measure) add(l logits, b dataset.Batch, in map[string]*tensor.Tensor) error {
	switch m.task {
	case dataset.Classification:
		return m.addClasses(l, b.Labels)
	case dataset.NextToken:
		return m.addTokens(l, b, in)
	case dataset.Similarity:
		return m.pairs.add(l, b)
	}
	return nil
}

func (m *measure) addClasses(l logits, labels []int) error {
	if l.rows != len(labels) {
		return fmt.Errorf("the judged output has %d rows for %d samples; choose another output", l.rows, len(labels))
	}
	for i, label := range labels {
		if label < 0 {
			continue
		}
		if label >= l.classes {
			return fmt.Errorf("label %d, but the network has %d classes; see the data options classes and offset", label, l.classes)
		}
		m.n++
		switch r := rank(l.x[i*l.classes:(i+1)*l.classes], label); {
		case r == 0:
			m.top1++
			m.top5++
		case r < 5:
			m.top5++
		}
	}
	return nil
}

// rank is the number of classes ahead of label; of equal scores the smaller
// index wins, as in ArgMax. A score that is not a number ranks last.
func rank(scores []float32, label int) int {
	s := scores[label]
	if s != s {
		return len(scores)
	}
	ahead := 0
	for i, x := range scores {
		if x > s || (x == s && i < label) {
			ahead++
		}
	}
	return ahead
}

func (m *measure) addTokens(l logits, b dataset.Batch, in map[string]*tensor.Tensor) error {
	var ids *tensor.Tensor
	for name := range b.Inputs {
		ids = b.Inputs[name]
	}
	n, length := ids.Shape[0], ids.Shape[1]
	if l.rows != n*length {
		return fmt.Errorf("the judged output has %d rows for %d sequences of %d tokens; want scores for every token", l.rows, n, length)
	}
	tokens := tensor.Data[int64](ids)
	for s := range n {
		var sum float64
		for t := range length - 1 {
			next := int(tokens[s*length+t+1])
			if next < 0 || next >= l.classes {
				return fmt.Errorf("token %d, but the network knows %d", next, l.classes)
			}
			row := l.x[(s*length+t)*l.classes:][:l.classes]
			sum += logSumExp(row) - float64(row[next])
			if rank(row, next) == 0 {
				m.top1++
			}
			m.n++
		}
		m.perSeq = append(m.perSeq, sum/float64(length-1))
		m.tokens = append(m.tokens, length-1)
	}
	return nil
}

func logSumExp(row []float32) float64 {
	top := math.Inf(-1)
	for _, x := range row {
		top = math.Max(top, float64(x))
	}
	var sum float64
	for _, x := range row {
		sum += math.Exp(float64(x) - top)
	}
	return top + math.Log(sum)
}

func (m *measure) report(r *Result) {
	if m.task == dataset.Similarity {
		r.Spearman = m.pairs.spearman()
	}
	if m.n == 0 {
		return
	}
	share := func(k int) *float64 { x := float64(k) / float64(m.n); return &x }
	switch m.task {
	case dataset.Classification:
		iv := Wilson(m.top1, m.n)
		r.Top1, r.Top1Interval, r.Top5 = share(m.top1), &iv, share(m.top5)
	case dataset.NextToken:
		mean, stderr := meanError(m.perSeq)
		if math.IsNaN(mean) || math.IsInf(mean, 0) {
			mean, stderr = math.MaxFloat64, 0
			r.Notes = append(r.Notes, notFinite)
		}
		r.Top1, r.NLL, r.NLLError = share(m.top1), &mean, &stderr
	}
}

// Wilson is the 95 % confidence interval of a share of k in n.
func Wilson(k, n int) [2]float64 {
	const z = 1.959963984540054
	p, m := float64(k)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return [2]float64{max(0, mid-half), min(1, mid+half)}
}

func meanError(x []float64) (mean, stderr float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	if len(x) < 2 {
		return mean, 0
	}
	var ss float64
	for _, v := range x {
		ss += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(ss / float64(len(x)-1) / float64(len(x)))
}

// drift accumulates how far one output is from another.
type drift struct {
	rows, same           int
	signal, noise, worst float64
	cosines              float64 // sum over rows
}

func (d *drift) add(got, want logits) error {
	if len(got.x) != len(want.x) || got.rows != want.rows {
		return fmt.Errorf("the judged outputs have different sizes: %d and %d", len(got.x), len(want.x))
	}
	for i, w := range want.x {
		g := float64(got.x[i])
		e := g - float64(w)
		d.signal += float64(w) * float64(w)
		d.noise += e * e
		d.worst = math.Max(d.worst, math.Abs(e))
	}
	c := want.classes
	for r := range want.rows {
		d.rows++
		d.cosines += cosine(got.x[r*c:(r+1)*c], want.x[r*c:(r+1)*c])
		if argmax(got.x[r*c:(r+1)*c]) == argmax(want.x[r*c:(r+1)*c]) {
			d.same++
		}
	}
	return nil
}

func argmax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

func (d *drift) report() Against {
	worst := d.worst
	if math.IsNaN(worst) || math.IsInf(worst, 0) {
		worst = math.MaxFloat64
	}
	return Against{Agreement: float64(d.same) / float64(max(d.rows, 1)), SNR: SNR(d.signal, d.noise), MaxAbsError: worst}
}

// SNR is the ratio of two energies in decibels, within ±200 so that identical
// outputs have a number too; NaN noise gives -200.
func SNR(signal, noise float64) float64 {
	switch {
	case math.IsNaN(noise) || math.IsNaN(signal):
		return -identicalSNR
	case noise == 0:
		return identicalSNR
	case signal == 0:
		return -identicalSNR
	}
	return min(max(10*math.Log10(signal/noise), -identicalSNR), identicalSNR)
}
