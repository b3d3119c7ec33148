package prune

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/op"
	"pare/tensor"
	"pare/train"
)

// short is what keeps courses of tests short.
const short = "batches=1,batch=8,mu=0.5,steps=3,keep=1"

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
	for _, recipe := range []string{"epochs=0", "epochs=8", "epochs=8,entwine=false", "epochs=8,order=backward", "epochs=8,criterion=magnitude", "epochs=8,freeze=true"} {
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
