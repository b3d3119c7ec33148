package compress

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pare/calib"
	"pare/dataset"
	"pare/ir"
	"pare/tensor"
)

func init() {
	Register(Info{Name: "journaltest", Kind: Neutral, Doc: "a costly method of tests", New: func() Method { return &costly{Parts: 5} }, Trial: true})
}

// costly works parts out, one after the other, and may break off.
type costly struct {
	Parts int `json:"parts" doc:"how many"`
}

// costlyRun is what happens to the costly methods of a run.
var costlyRun struct {
	breakAt int      // no part from this one on; 0 for never
	made    []string // parts that were worked out
	seen    []string // all results
}

var errBroken = errors.New("broken off")

func (*costly) Validate() error { return nil }

func (c *costly) Apply(_ context.Context, _ *ir.Model, env *Env) error {
	for i := range c.Parts {
		key := fmt.Sprint("part ", i)
		var out struct{ Text string }
		err := env.Resume(key, &out, func() error {
			if costlyRun.breakAt > 0 && len(costlyRun.made) == costlyRun.breakAt {
				return errBroken
			}
			costlyRun.made = append(costlyRun.made, fmt.Sprint(c.Parts, key))
			out.Text = fmt.Sprint(c.Parts, key)
			return nil
		})
		if err != nil {
			return err
		}
		costlyRun.seen = append(costlyRun.seen, out.Text)
	}
	return nil
}

// samples is a set of numbers.
type samples []float32

func (samples) Task() dataset.Task { return dataset.Unlabelled }
func (s samples) Len() int         { return len(s) }
func (samples) Prepared() string   { return "" }
func (s samples) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	return dataset.Batch{Inputs: map[string]*tensor.Tensor{"": tensor.Of([]int{hi - lo, 1}, s[lo:hi])}}, nil
}

const journalNet = "graph g(x f32[1,2]) -> (y) {\n  y f32[1,2] = Relu(x) @r\n}\n"

// costlyOptions are those of the first run.
func costlyOptions(dir string) Options {
	return Options{
		Seed: 1, Data: &calib.Data{Set: samples{1, 2, 3}},
		Journal: &Journal{Dir: dir, Input: func() (string, error) { return "net", nil }, Version: "1"},
	}
}

func runCostly(t *testing.T, recipe string, breakAt int, o Options) (*Report, error) {
	t.Helper()
	r, err := Parse(recipe)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ir.Parse(strings.NewReader(journalNet))
	if err != nil {
		t.Fatal(err)
	}
	costlyRun.breakAt, costlyRun.made, costlyRun.seen = breakAt, nil, nil
	return r.Run(context.Background(), m, o)
}

// TestResume breaks a recipe of two costly steps off in its second.
func TestResume(t *testing.T) {
	const recipe = "journaltest+copy+journaltest(parts=4)"
	dir := filepath.Join(t.TempDir(), "out.journal")
	if _, err := runCostly(t, recipe, 0, Options{}); err != nil {
		t.Fatal(err)
	}
	whole := strings.Join(costlyRun.seen, " ")
	if _, err := runCostly(t, recipe, 7, costlyOptions(dir)); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	if n := JournalParts(dir); n != 7 {
		t.Errorf("%d parts are kept, want 7", n)
	}
	rep, err := runCostly(t, recipe, 0, costlyOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(costlyRun.seen, " "); got != whole {
		t.Errorf("resumed: %s\nwhole:   %s", got, whole)
	}
	if len(costlyRun.made) != 2 || rep.Resumed != 7 || len(rep.Warnings) > 0 {
		t.Errorf("made %v, resumed %d, %v", costlyRun.made, rep.Resumed, rep.Warnings)
	}
	if err := RemoveJournal(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// TestResumeOtherRun: whatever a result depends on tells runs apart.
func TestResumeOtherRun(t *testing.T) {
	dir := t.TempDir()
	if _, err := runCostly(t, "journaltest", 0, costlyOptions(dir)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(o *Options){
		"seed":    func(o *Options) { o.Seed = 2 },
		"data":    func(o *Options) { o.Data.Set = samples{1, 2, 4} },
		"samples": func(o *Options) { o.Data.Samples = 2 },
		"no data": func(o *Options) { o.Data = nil },
		"range":   func(o *Options) { o.Input = InputRange{[]float64{0}, []float64{1}} },
		"version": func(o *Options) { o.Journal.Version = "2" },
		"model":   func(o *Options) { o.Journal.Input = func() (string, error) { return "other", nil } },
	} {
		o := costlyOptions(dir)
		change(&o)
		rep, err := runCostly(t, "journaltest", 3, o)
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: took results of another run: %v, %v", name, rep, err)
		}
	}
	o := costlyOptions(dir)
	o.Seed = 7
	rep, err := runCostly(t, "journaltest", 0, o)
	if err != nil || len(rep.Warnings) != 1 || !strings.Contains(rep.Warnings[0], "of another run") {
		t.Errorf("%v, %v", err, rep.Warnings)
	}
}

// TestResumeDamaged makes a damaged result anew.
func TestResumeDamaged(t *testing.T) {
	dir := t.TempDir()
	if _, err := runCostly(t, "journaltest", 0, costlyOptions(dir)); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, list[0].Name())
	if err := os.Truncate(file, 90); err != nil {
		t.Fatal(err)
	}
	rep, err := runCostly(t, "journaltest", 0, costlyOptions(dir))
	if err != nil || len(costlyRun.made) != 1 || rep.Resumed != 4 || len(rep.Warnings) != 1 || !strings.Contains(rep.Warnings[0], file+" is damaged") {
		t.Errorf("%v: made %v, %v", err, costlyRun.made, rep.Warnings)
	}
}

// TestResumeUnwritable goes on without a journal, with one warning.
func TestResumeUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	o := costlyOptions(filepath.Join(file, "journal"))
	rep, err := runCostly(t, "journaltest", 0, o)
	if err != nil || len(costlyRun.made) != 5 || len(rep.Warnings) == 0 || !strings.Contains(rep.Warnings[len(rep.Warnings)-1], "must start anew") {
		t.Errorf("%v, %v", err, rep)
	}
}

func TestAdvance(t *testing.T) {
	var seen []Progress
	env := &Env{step: &StepReport{Step: "s"}, report: &Report{}, steps: 2, index: 1, total: 3, progress: func(p Progress) { seen = append(seen, p) }}
	env.Advance("learning", 10, 100)
	env.Advance("learning", 5, 100) // never back
	env.Done(LayerReport{Name: "a"})
	env.Advance("learning", 120, 100)
	env.Done(LayerReport{Name: "b"})
	want := []Progress{
		{Step: "s", Index: 1, Steps: 2, What: "learning", Done: 10, Total: 100},
		{Step: "s", Index: 1, Steps: 2, What: "learning", Done: 10, Total: 100},
		{Step: "s", Index: 1, Steps: 2, What: "learning", Done: 100, Total: 100},
		{Step: "s", Index: 1, Steps: 2, Layer: "b", Done: 2, Total: 3},
	}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("%v\nwant %v", seen, want)
	}
}
