package prune

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/op"
	"pare/tensor"
	"pare/train"
)

// short is what keeps courses of tests short.
const short = "batches=1,batch=8,mu=0.5,steps=3,keep=1,lr=0.1"

// schooled runs a recipe on labelled pictures with so many threads.
func schooled(t *testing.T, m *ir.Model, recipe string, o compress.Options) (*compress.Report, error) {
	t.Helper()
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	r, err := compress.Parse(recipe)
	if err != nil {
		t.Fatal(err)
	}
	o.Run, o.Data = newEngineRunner, &calib.Data{Set: labelled{pictured(t, m, 1), 5}, Run: newEngineRunner}
	return r.Run(context.Background(), m, o)
}

// settled is the residual block with statistics of batch-norms that are those of
// pictures.
func settled(t *testing.T) *ir.Model {
	t.Helper()
	m := blocked(t)
	tr, err := train.New(context.Background(), m, *taught(t, m, 5).Data, train.Options{Steps: 1, Rate: 1})
	if err == nil {
		err = tr.Refresh(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// preferences are the logits for other pictures, less the mean of their row, which classes
// do not depend on.
func preferences(t *testing.T, m *ir.Model) []float32 {
	x := results(t, m)
	for at := 0; at < len(x); at += 5 {
		row := x[at:][:5]
		mean := (row[0] + row[1] + row[2] + row[3] + row[4]) / 5
		for k := range row {
			row[k] -= mean
		}
	}
	return x
}

// TestCourses: entwined or not, from either side, as much goes as is asked for, the
// result does not depend on threads, and training takes it nearer to the original.
func TestCourses(t *testing.T) {
	want := preferences(t, settled(t))
	errs := map[string]float64{}
	for _, recipe := range []string{"epochs=0", "epochs=24", "epochs=24,entwine=false", "epochs=24,order=backward", "epochs=24,criterion=magnitude", "epochs=24,bn=frozen"} {
		var first *ir.Model
		for _, threads := range []int{1, 3} {
			m := settled(t)
			rep, err := schooled(t, m, fmt.Sprintf("singe(params=0.6,%s,compensate=none,%s)", recipe, short), compress.Options{Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			if x := float64(rep.After.Params) / float64(rep.Before.Params); x > 0.6 {
				t.Errorf("%s: %.4f of the parameters are left", recipe, x)
			}
			if first == nil {
				first = m
			}
			for _, v := range first.Graph.Consts {
				if w := m.Graph.Value(v.Name); w == nil || !tensor.Equal(v.Const, w.Const) {
					t.Fatalf("%s: %s depends on the number of threads", recipe, v.Name)
				}
			}
		}
		errs[recipe] = distance2(preferences(t, first), want)
	}
	t.Logf("outputs differ by %v", errs)
	for recipe, e := range errs {
		if recipe != "epochs=0" && !(e < 0.9*errs["epochs=0"]) {
			t.Errorf("%s: outputs differ by %.3g, without training by %.3g", recipe, e, errs["epochs=0"])
		}
	}
}

// TestCourseStops: soon, with the cause, when it is cancelled.
func TestCourseStops(t *testing.T) {
	stop := errors.New("enough")
	for _, recipe := range []string{"epochs=100", "epochs=100,entwine=false", "epochs=0,steps=10000"} {
		ctx, cancel := context.WithCancelCause(context.Background())
		m := blocked(t)
		if _, err := op.Infer(m); err != nil {
			t.Fatal(err)
		}
		r, err := compress.Parse("singe(params=0.6,batches=1,batch=8,keep=1," + recipe + ")")
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		_, err = r.Run(ctx, m, compress.Options{
			Threads: 2, Run: newEngineRunner, Data: &calib.Data{Set: labelled{pictured(t, m, 1), 5}, Run: newEngineRunner},
			Progress: func(compress.Progress) {
				if told++; told == 5 {
					cancel(stop)
				}
			},
		})
		if !errors.Is(err, stop) || told > 6 {
			t.Errorf("%s: %v after %d reports of progress", recipe, err, told)
		}
	}
}

// TestCourseResumes: a run that was interrupted between groups, or within one, goes on
// and ends with the bytes of one that was not.
func TestCourseResumes(t *testing.T) {
	for recipe, stops := range map[string][]int{
		"singe(params=0.6,epochs=6,between=0.8,criterion=taylor," + short + ")": {4, 6},
		"taylor(granularity=weight,rate=0.5,epochs=6,between=0.8,batches=1)":    {8, 11},
	} {
		whole := settled(t)
		if _, err := schooled(t, whole, recipe, compress.Options{Threads: 1}); err != nil {
			t.Fatal(err)
		}
		journal := &compress.Journal{Dir: filepath.Join(t.TempDir(), "kept"), Input: func() (string, error) { return "net", nil }, Version: "1"}
		stop, told, resumed := errors.New("enough"), 0, 0
		var last *ir.Model
		for _, until := range append(stops, 1<<30) {
			ctx, cancel := context.WithCancelCause(context.Background())
			last, told = settled(t), 0
			r, err := compress.Parse(recipe)
			if err != nil {
				t.Fatal(err)
			}
			rep, err := r.Run(ctx, last, compress.Options{
				Threads: 2, Run: newEngineRunner, Data: &calib.Data{Set: labelled{pictured(t, last, 1), 5}, Run: newEngineRunner}, Journal: journal,
				Progress: func(compress.Progress) {
					if told++; told == until {
						cancel(stop)
					}
				},
			})
			if until < 1<<30 && !errors.Is(err, stop) || until == 1<<30 && err != nil {
				t.Fatalf("%s, stopped at %d: %v", recipe, until, err)
			}
			if rep != nil {
				resumed = rep.Resumed
			}
		}
		if resumed == 0 {
			t.Errorf("%s: nothing was kept", recipe)
		}
		for _, v := range whole.Graph.Consts {
			if w := last.Graph.Value(v.Name); w == nil || !tensor.Equal(v.Const, w.Const) {
				t.Fatalf("%s: %s is not what it is without interruption", recipe, v.Name)
			}
		}
	}
}

// TestCourseWithoutData: nothing is trained, gradients are those of made-up pictures.
func TestCourseWithoutData(t *testing.T) {
	for recipe, want := range map[string]string{
		"singe(params=0.6,keep=1,epochs=1)":          "training needs samples and there are none",
		"gradient(params=0.6,keep=1)":                "",
		"taylor(granularity=weight,rate=0.5,keep=1)": "",
	} {
		m := settled(t)
		r, err := compress.Parse(recipe)
		if err != nil {
			t.Fatal(err)
		}
		rep, err := r.Run(context.Background(), m, compress.Options{Threads: 1, Run: newEngineRunner, Input: compress.InputRange{Lo: []float64{-1}, Hi: []float64{1}}})
		switch {
		case want != "":
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", recipe, err, want)
			}
		case err != nil:
			t.Errorf("%s: %v", recipe, err)
		case !slices.ContainsFunc(rep.Warnings, func(s string) bool { return strings.Contains(s, "made-up inputs") }):
			t.Errorf("%s warns of %q", recipe, rep.Warnings)
		}
	}
}
