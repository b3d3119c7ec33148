package calib

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"pare/ir"
)

// Options of Propagate.
type Options struct {
	// K is the number of standard deviations that a range reaches from the mean
	// where nothing else bounds it; UsualReach when 0.
	K float64
	// InputLo and InputHi declare the range of the network's data input: one
	// number for all channels or one per channel; empty when unknown.
	InputLo, InputHi []float64
}

// UsualReach is the number of standard deviations that a range reaches unless it is
// told otherwise.
const UsualReach = 6

// Table holds what is known of the values of a graph.
type Table struct {
	state map[*ir.Value]*state
	why   map[*ir.Value]string
}

// Stats returns mean, deviation and range of v, or nil and the reason why they
// are not known. Axis is -1 for statistics of the tensor as a whole, which then
// have one entry.
func (t *Table) Stats(v *ir.Value) (*ir.Stats, string) {
	if s := t.state[v]; s != nil {
		if why := s.settle(); why != "" {
			return nil, why
		}
		return s.Stats, ""
	}
	if why := t.why[v]; why != "" {
		return nil, why
	}
	return nil, "nothing is known of it"
}

// Set replaces what is known of v, by measured statistics for instance.
func (t *Table) Set(v *ir.Value, s *ir.Stats) {
	t.state[v] = newRoot(s)
}

// state is a value during propagation: its statistics, and how it follows
// element by element from a value that is taken as normal. The statistics of a
// function are worked out when they are asked for: most values within a chain of
// functions are not.
type state struct {
	*ir.Stats
	root   *state // the normal value; itself when fn is nil
	fn     func(c int, x float64) float64
	settle func() (why string) // fills in the statistics, or says why there are none
}

// walk is a propagation under way.
type walk struct {
	m     *ir.Model
	k     float64
	state map[*ir.Value]*state
	// guesses counts, for every value, the layers since statistics that training
	// has seen to; see maxGuesses.
	guesses map[*ir.Value]int
	// heavy are values that follow from a normalisation over channels; see
	// heavyTail.
	heavy map[*ir.Value]bool
	why   map[*ir.Value]string
}

// maxGuesses is how many layers in a row statistics may be derived through that
// have no normalisation. One is well within a factor of two on real networks;
// behind several, ranges came out up to seven times too small, as the data of
// a layer are far from independent. The declared input counts as a guess, too:
// pixels are anything but independent.
const maxGuesses = 1

// heavyTail is how many times further than others ranges reach that follow from a
// normalisation over channels (LayerNormalization). A batch-norm sees to the
// deviation of each channel; there, a few channels of a few tokens may hold most
// of what is normalised, up to the square root of the number of channels. In a
// sentence transformer, 12 deviations held all but 0.01 % of the values, where 6
// cut off those that matter most.
const heavyTail = 2

// rule derives the statistics of the first result of n. It returns nil and a
// reason where it cannot.
type rule func(w *walk, n *ir.Node) (*state, string)

// Propagate derives the statistics of every value of the model's graph that
// follow from kept batch-norm statistics, batch-norms, normalisations, bounded
// functions and the declared input range. It reads no data. Values with
// statistics of their own (ir.Value.Stats) keep them. Types help where shapes
// change: run shape inference first.
func Propagate(m *ir.Model, o Options) *Table {
	if o.K == 0 {
		o.K = UsualReach
	}
	w := &walk{m: m, k: o.K, state: map[*ir.Value]*state{}, why: map[*ir.Value]string{}, guesses: map[*ir.Value]int{}, heavy: map[*ir.Value]bool{}}
	for _, v := range m.Graph.Inputs {
		if v.Const == nil {
			w.input(v, o)
		}
	}
	for _, n := range m.Graph.Nodes {
		w.node(n)
	}
	return &Table{state: w.state, why: w.why}
}

// input takes the declared range of the network's input: a uniform law within.
func (w *walk) input(v *ir.Value, o Options) {
	if len(o.InputLo) == 0 || len(o.InputLo) != len(o.InputHi) || v.Type.DType.IsInt() {
		w.why[v] = "the range of the network's input is not declared"
		return
	}
	s := &ir.Stats{Axis: -1, Source: "declared input range", Lo: o.InputLo, Hi: o.InputHi}
	if len(o.InputLo) > 1 {
		s.Axis = 1
		if v.Type.Ranked && len(v.Type.Shape) == 4 && v.Type.Shape[1].N != len(o.InputLo) && v.Type.Shape[3].N == len(o.InputLo) {
			s.Axis = 3
		}
	}
	s.Mean, s.Std = uniformLaw(o.InputLo, o.InputHi)
	w.state[v], w.guesses[v] = newRoot(s), maxGuesses
}

func uniformLaw(lo, hi []float64) (mean, std []float64) {
	mean, std = make([]float64, len(lo)), make([]float64, len(lo))
	for c := range lo {
		mean[c], std[c] = (lo[c]+hi[c])/2, (hi[c]-lo[c])/math.Sqrt(12)
	}
	return mean, std
}

func newRoot(s *ir.Stats) *state {
	st := &state{Stats: s, settle: settled}
	st.root = st
	return st
}

// settled is the settle of statistics that are known already.
func settled() string { return "" }

// normal makes a root from mean and deviation: range mean ± k deviations.
func (w *walk) normal(axis int, mean, std []float64, source string) *state {
	return reaching(w.k, axis, mean, std, source)
}

// normalFrom is normal for what n computes.
func (w *walk) normalFrom(n *ir.Node, axis int, mean, std []float64, source string) *state {
	k := w.k
	if w.isHeavy(n) {
		k *= heavyTail
	}
	if overChannels(n) && len(mean) > 1 {
		k = min(k, math.Sqrt(float64(len(mean)-1)))
	}
	return reaching(k, axis, mean, std, source)
}

// isHeavy reports whether the results of n follow from a normalisation over
// channels.
func (w *walk) isHeavy(n *ir.Node) bool {
	if overChannels(n) {
		return true
	}
	return !normalisers[n.Op] && slices.ContainsFunc(n.In, func(v *ir.Value) bool { return w.heavy[v] })
}

func overChannels(n *ir.Node) bool { return channelNorms[n.Op] || isNormForm(n) }

func reaching(k float64, axis int, mean, std []float64, source string) *state {
	s := &ir.Stats{Axis: axis, Mean: mean, Std: std, Source: source, Lo: make([]float64, len(mean)), Hi: make([]float64, len(mean))}
	for c := range mean {
		s.Lo[c], s.Hi[c] = mean[c]-k*std[c], mean[c]+k*std[c]
	}
	return newRoot(s)
}

func (w *walk) node(n *ir.Node) {
	if len(n.Out) == 0 || n.Out[0] == nil {
		return
	}
	out := n.Out[0]
	if kept := out.Stats; kept != nil && len(kept.Mean) > 0 && len(kept.Mean) == len(kept.Std) {
		s := w.normal(kept.Axis, kept.Mean, kept.Std, kept.Source)
		if len(kept.Lo) == len(kept.Mean) && len(kept.Hi) == len(kept.Mean) {
			s.Lo, s.Hi = kept.Lo, kept.Hi
		}
		w.state[out] = s
		return
	}
	r := ruleOf(n)
	if r == nil {
		for _, v := range n.Out {
			if v != nil {
				w.why[v] = fmt.Sprintf("there is no rule for %s", n.Op)
			}
		}
		return
	}
	s, why := r(w, n)
	if s == nil {
		w.why[out] = why
		return
	}
	for _, v := range n.Out {
		if v != nil {
			w.guesses[v], w.heavy[v] = w.guessed(n), w.isHeavy(n)
		}
	}
	if s.root == s {
		if why := unlimited(s.Stats); why != "" {
			w.why[out] = why
			return
		}
	}
	w.state[out] = s
}

// unlimited says why statistics are of no use, "" where they are.
func unlimited(s *ir.Stats) string {
	if !finite(s.Mean) || !finite(s.Std) || !finite(s.Lo) || !finite(s.Hi) {
		return "its statistics are not finite"
	}
	return ""
}

// ruleOf finds the rule of a node, nil where there is none.
func ruleOf(n *ir.Node) rule {
	switch ir.CanonicalDomain(n.Domain) {
	case "":
		return rules[n.Op]
	case "pare":
		return ownRules[n.Op]
	}
	return nil
}

// guessed is the count of guesses behind the results of n. A value of unknown
// origin, of which only bounds are known, counts like the input.
func (w *walk) guessed(n *ir.Node) int {
	if normalisers[n.Op] || isNormForm(n) {
		return 0
	}
	most := 0
	for _, v := range n.In {
		switch {
		case v == nil || constOf(v) != nil:
		case w.state[v] == nil:
			most = maxGuesses
		default:
			most = max(most, w.guesses[v])
		}
	}
	if layers[n.Op] && len(n.In) > 1 && constOf(n.In[1]) != nil {
		most++
	}
	return min(most, maxGuesses)
}

func finite(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// operand returns the state of operand i with its statistics, or the reason why
// there is none.
func (w *walk) operand(n *ir.Node, i int) (*state, string) {
	s, why := w.element(n, i)
	if s == nil {
		return nil, why
	}
	if why := s.settle(); why != "" {
		return nil, fmt.Sprintf("it follows from %q: %s", n.In[i].Name, why)
	}
	return s, ""
}

// element is operand for rules that take functions of it, without statistics.
func (w *walk) element(n *ir.Node, i int) (*state, string) {
	if i >= len(n.In) || n.In[i] == nil {
		return nil, "an operand is missing"
	}
	v := n.In[i]
	if s := w.state[v]; s != nil {
		return s, ""
	}
	if v.Const != nil {
		return nil, "an operand is constant"
	}
	const follows = "it follows from "
	if why := w.why[v]; strings.HasPrefix(why, follows) {
		return nil, why // where it began says more than the way
	} else if why != "" {
		return nil, fmt.Sprintf("%s%q: %s", follows, v.Name, why)
	}
	return nil, fmt.Sprintf("nothing is known of %q", v.Name)
}
