package pare_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pare"
	"pare/compress"
	"pare/internal/assets"
	"pare/tensor"
)

// sessionRecipes are ways of a network to run: floats, bytes, fewer bits.
var sessionRecipes = []string{"", "fold+uniform(w=8,a=8)", "fold+uniform(w=4,a=8)", "fold+powerquant(w=4,a=4)", "fold+rex(base=uniform(w=4,a=8),bits=2)"}

// eachProgram compiles real networks of floats, bytes and fewer bits.
func eachProgram(t *testing.T, f func(t *testing.T, p *pare.Program)) {
	for _, file := range []string{"cifar10/resnet20.onnx", "cifar10/vit_tiny.onnx"} {
		for _, recipe := range sessionRecipes {
			t.Run(file+"/"+recipe, func(t *testing.T) {
				m, err := pare.Load(assets.Path(t, file))
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				if recipe != "" {
					if _, err := m.Compress(context.Background(), recipe, pare.Options{Input: compress.InputRange{Lo: []float64{-2.2}, Hi: []float64{2.7}}}); err != nil {
						t.Fatal(err)
					}
				}
				p, err := m.Compile(context.Background(), pare.SessionOptions{Threads: 2})
				if err != nil {
					t.Fatal(err)
				}
				f(t, p)
			})
		}
	}
}

func run(ctx context.Context, s *pare.Session, in map[string]*tensor.Tensor) (*tensor.Tensor, error) {
	out, err := s.Run(ctx, in)
	for _, x := range out {
		return x, err
	}
	return nil, err
}

// TestSharedProgram runs sessions of one program beside each other, with batches
// that vary, and some runs cancelled on the way.
func TestSharedProgram(t *testing.T) {
	eachProgram(t, func(t *testing.T, p *pare.Program) {
		ctx := context.Background()
		var in [3]map[string]*tensor.Tensor
		var want [3]*tensor.Tensor
		for i := range in {
			var err error
			name := p.NewSession().Inputs()[0].Name
			for _, x := range pictures(t, i+1) {
				in[i] = map[string]*tensor.Tensor{name: x}
			}
			if want[i], err = run(ctx, p.NewSession(), in[i]); err != nil {
				t.Fatal(err)
			}
		}
		why := errors.New("enough")
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				s := p.NewSession()
				for i := range 12 {
					stopped, stop := context.WithCancelCause(ctx)
					timer := time.AfterFunc(time.Duration(i)*50*time.Microsecond, func() { stop(why) })
					if _, err := run(stopped, s, in[i%3]); err != nil && !errors.Is(err, why) {
						t.Error(err)
					}
					timer.Stop()
					if got, err := run(ctx, s, in[i%3]); err != nil || !tensor.Equal(got, want[i%3]) {
						t.Errorf("run %d gives something else (%v)", i, err)
					}
				}
			})
		}
		wg.Wait()
	})
}

// TestAllocations: a run allocates its result, the maps around it and the key of
// its shapes, whatever the network computes on.
func TestAllocations(t *testing.T) {
	if raced {
		t.Skip("SKIPPED: pools forget at random under the race detector")
	}
	eachProgram(t, func(t *testing.T, p *pare.Program) {
		s := p.NewSession()
		var in map[string]*tensor.Tensor
		for _, x := range pictures(t, 1) {
			in = map[string]*tensor.Tensor{s.Inputs()[0].Name: x}
		}
		got := testing.AllocsPerRun(20, func() {
			if _, err := run(context.Background(), s, in); err != nil {
				t.Fatal(err)
			}
		})
		const most = 20
		if got > most {
			t.Errorf("%v allocations", got)
		}
		t.Logf("%v allocations", got)
	})
}
