package pare

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"pare/compress"
	"pare/eval"
	"pare/internal/fault"
	"pare/prune"
)

// Target is a search for the least pruning that meets goals, or the most that keeps
// to them.
type Target struct {
	Goals []Goal
	// Measure measures a compressed model where goals are about quality; nil where
	// there are no data to measure on.
	Measure func(ctx context.Context, m *Model) (*eval.Result, error)
	// Save is how the file will be written that goals of size are about.
	Save SaveOptions
}

// Attempt is what an amount of pruning gave.
type Attempt struct {
	Recipe  string             `json:"recipe"`
	Figures map[string]float64 `json:"figures"`
	Missed  []string           `json:"missed"` // goals
	Error   string             `json:"error,omitempty"`
}

// costGoals are the figures that shrink with pruning; all others are of quality,
// and get worse with it.
var costGoals = map[string]bool{"macs": true, "params": true, "size": true}

// mostAttempts bounds a search. Amounts are found to a part in 2 to this power.
const mostAttempts = 7

// DefaultPruning is the step that CompressTo adds to recipes without pruning.
const DefaultPruning = "surgeon"

// CompressTo applies the recipe with such an amount in its pruning step that the
// target is met: with goals of costs the least pruning that meets them, else the
// most that keeps the goals of quality. A recipe without a pruning step gets
// DefaultPruning, behind fold where it has that, with fold in front where it has
// not. Where no amount meets all goals, the model is that of the costs, and the
// report says what is missed. It returns the recipe in the report.
func (m *Model) CompressTo(ctx context.Context, recipe string, t Target, o Options) (*Report, error) {
	s := &search{m: m, t: t, o: o}
	if err := s.prepare(ctx, recipe); err != nil {
		return nil, err
	}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	if s.best == nil {
		return nil, s.last
	}
	m.ir = s.best.model.ir
	rep := s.best.report
	rep.Attempts, rep.searched = s.attempts, s.best.figures
	return rep, nil
}

// search is a search for an amount under way.
type search struct {
	m        *Model
	t        Target
	o        Options
	recipe   *compress.Recipe
	amount   *prune.Amount // of the pruning step of recipe
	input    *Info
	attempts []Attempt
	best     *found // so far
	last     error
}

// found is a compressed model with what is known of it.
type found struct {
	model   *Model
	report  *Report
	figures map[string]float64
	missed  []string
}

func (s *search) prepare(ctx context.Context, recipe string) (err error) {
	if err := s.settle(recipe); err != nil {
		return err
	}
	s.input, err = s.m.Info(ctx)
	return err
}

// Check reports what is wrong with a target for a recipe, whatever the model.
func (t *Target) Check(recipe string) error {
	s := &search{t: *t}
	return s.settle(recipe)
}

// settle checks the goals and finds the amount in the recipe.
func (s *search) settle(recipe string) (err error) {
	quality := slices.ContainsFunc(s.t.Goals, func(g Goal) bool { return !costGoals[g.Metric] })
	for _, g := range s.t.Goals {
		if costGoals[g.Metric] && (g.Least || !(g.Bound > 0 && g.Bound <= 1)) {
			return fmt.Errorf("target %v: costs are bounded from above, by a share of up to 1 as in %s<=50%%", g, g.Metric)
		}
	}
	if quality && s.t.Measure == nil {
		return fault.Hint(errors.New("the target asks for quality, and there are no data to measure it on"), "--eval SPEC names data")
	}
	if s.recipe, err = compress.Parse(recipe); err != nil {
		return err
	}
	for _, step := range s.recipe.Steps {
		if p, ok := step.(prune.Pruner); ok {
			if s.amount != nil {
				return errors.New("a target is for one pruning step, the recipe has several")
			}
			s.amount = p.Asked()
		}
	}
	if s.amount == nil {
		s.addPruning()
	}
	if s.amount.Given() {
		return fmt.Errorf("the recipe says %v: with a target, leave the amount out", s.amount)
	}
	return nil
}

// addPruning adds the default step.
func (s *search) addPruning() {
	info, _ := compress.Find(DefaultPruning)
	step := info.New()
	s.amount = step.(prune.Pruner).Asked()
	fold := slices.IndexFunc(s.recipe.Steps, func(m compress.Method) bool { return compress.StepString(m) == "fold" })
	if fold < 0 {
		front, _ := compress.Find("fold")
		s.recipe.Steps = slices.Insert(s.recipe.Steps, 0, front.New())
		fold = 0
	}
	s.recipe.Steps = slices.Insert(s.recipe.Steps, fold+1, step)
}

// run looks for the amount: a share to keep, of parameters where the goals are about
// size and parameters alone, else of multiply-accumulates.
func (s *search) run(ctx context.Context) error {
	var costs []Goal
	macs := false
	for _, g := range s.t.Goals {
		if costGoals[g.Metric] {
			costs = append(costs, g)
			macs = macs || g.Metric == "macs"
		}
	}
	keep := func(x float64) prune.Amount {
		if costs != nil && !macs {
			return prune.Amount{MACs: 1, Params: x}
		}
		return prune.Amount{MACs: x, Params: 1}
	}
	if costs != nil {
		return s.descend(ctx, costs, keep)
	}
	return s.bisect(ctx, keep)
}

// descend prunes as little as the costs allow: it begins with the tightest goal and
// corrects the share by what came out.
func (s *search) descend(ctx context.Context, costs []Goal, keep func(float64) prune.Amount) error {
	share, low, high := 1.0, 0.0, 1.0 // low is known to meet the costs, high not to
	for _, g := range costs {
		share = min(share, g.Bound)
	}
	for range mostAttempts {
		f, least, err := s.try(ctx, keep(share))
		if err != nil {
			return err
		}
		if f == nil { // as far as it goes, then
			if low = max(low, share); least >= high {
				return s.free(ctx)
			}
			share = rounded(least + 2*resolution)
			continue
		}
		s.keep(f)
		over := 0.0 // how far above the tightest goal
		for _, g := range costs {
			over = max(over, f.figures[g.Metric]/g.Bound)
		}
		if over <= 1 {
			low = max(low, share)
		} else {
			high = min(high, share)
		}
		if over <= 1 && over > 0.99 || high-low < 2*resolution || low == 1 {
			return nil
		}
		if share = rounded(min(share/over, 1)); share <= low || share >= high {
			share = rounded((low + high) / 2)
		}
	}
	return nil
}

// free removes what costs nothing, where nothing else was found.
func (s *search) free(ctx context.Context) error {
	if s.best != nil {
		return nil
	}
	f, _, err := s.try(ctx, prune.Free)
	if f != nil {
		s.keep(f)
	}
	return err
}

// resolution is that of shares.
const resolution = 1.0 / 1000

func rounded(share float64) float64 { return math.Floor(share*1000) / 1000 }

// bisect prunes as much as the goals of quality allow, as if more pruning were
// never better.
func (s *search) bisect(ctx context.Context, keep func(float64) prune.Amount) error {
	bad, good := 0.0, 1.0 // shares kept
	for i := range mostAttempts {
		share := (bad + good) / 2
		if i == 0 {
			share = 1 // what is free
		}
		f, _, err := s.try(ctx, keep(share))
		if err != nil {
			return err
		}
		switch {
		case f != nil && (i == 0 || len(f.missed) == 0):
			s.keep(f)
			if len(f.missed) > 0 {
				return nil // not even what is free is good enough
			}
			good = share
		default:
			bad = share
		}
	}
	return nil
}

// keep takes f for the best so far: one that misses fewer goals, or a later one.
func (s *search) keep(f *found) {
	if s.best == nil || len(f.missed) <= len(s.best.missed) {
		s.best = f
	}
}

// try compresses a copy with the amount and measures it; nil, and the least share that
// stays, where the amount cannot be reached.
func (s *search) try(ctx context.Context, a prune.Amount) (f *found, least float64, err error) {
	*s.amount = a
	text := s.recipe.String()
	if s.o.Progress != nil {
		s.o.Progress("search", len(s.attempts), mostAttempts)
	}
	f = &found{model: s.m.Clone()}
	if f.report, err = f.model.Compress(ctx, text, s.o); err != nil {
		var out *prune.Unreachable
		if errors.As(err, &out) {
			s.last = err
			s.attempts = append(s.attempts, Attempt{Recipe: text, Error: out.Error(), Missed: []string{}})
			return nil, out.Least, nil
		}
		return nil, 0, err
	}
	if s.t.Measure != nil {
		res, err := s.t.Measure(ctx, f.model)
		if err != nil {
			return nil, 0, err
		}
		f.report.Judge(res)
	}
	if err := s.figures(ctx, f); err != nil {
		return nil, 0, err
	}
	s.attempts = append(s.attempts, Attempt{Recipe: text, Figures: f.figures, Missed: f.missed})
	return f, 0, nil
}

// figures are those that the goals are about.
func (s *search) figures(ctx context.Context, f *found) error {
	all := f.report.Figures()
	now, err := f.model.Info(ctx)
	if err != nil {
		return err
	}
	if s.input.MACs > 0 {
		all["macs"] = ratio(now.MACs, s.input.MACs)
	}
	f.figures = map[string]float64{}
	for _, g := range s.t.Goals {
		if g.Metric == "size" {
			if all["size"], err = s.size(f.model); err != nil {
				return err
			}
		}
		if x, ok := all[g.Metric]; ok {
			f.figures[g.Metric] = x
		}
	}
	f.missed = append([]string{}, Missed(s.t.Goals, f.figures)...)
	return nil
}

// size is that of the file that m would be, relative to the original.
func (s *search) size(m *Model) (float64, error) {
	dir, err := os.MkdirTemp("", "pare-target-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	written, err := m.Clone().Save(filepath.Join(dir, "model.onnx"), s.t.Save)
	if err != nil {
		return 0, err
	}
	return ratio(written.Bytes, s.input.Bytes), nil
}

func ratio(a, of int64) float64 { return float64(a) / float64(max(1, of)) }
