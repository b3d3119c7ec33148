package engine

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"pare/ir"
	"pare/tensor"
)

// weightKey names a form of a constant: the constant, what was done to it, and
// a second constant that took part.
type weightKey struct {
	t, with *tensor.Tensor
	form    string
}

// weights keeps the packed forms of the constants of a program, shared by its
// specialisations.
type weights struct {
	mu    sync.Mutex
	owned map[*tensor.Tensor]bool
	made  map[weightKey]any // *form[T]
}

// form is one form of a constant; it is made once, possibly later than it is
// asked for.
type form[T any] struct {
	once sync.Once
	make func() (T, error)
	x    T
	err  error
}

func (f *form[T]) done() error {
	f.once.Do(func() {
		defer func() {
			if p := recover(); p != nil {
				f.err = fmt.Errorf("packing weights: %v", p)
			}
		}()
		f.x, f.err = f.make()
		f.make = nil
	})
	return f.err
}

func newWeights(g *ir.Graph) *weights {
	w := &weights{owned: map[*tensor.Tensor]bool{}, made: map[weightKey]any{}}
	for _, v := range g.Consts {
		w.owned[v.Const] = true
	}
	return w
}

// formOf returns the form called k. Forms of constants that only a
// specialisation knows are not kept.
func formOf[T any](w *weights, k weightKey, make func() (T, error)) *form[T] {
	w.mu.Lock()
	defer w.mu.Unlock()
	if x, ok := w.made[k]; ok {
		return x.(*form[T])
	}
	f := &form[T]{make: make}
	if w.owned[k.t] && (k.with == nil || w.owned[k.with]) {
		w.made[k] = f
	}
	return f
}

// later returns a form that is made before the program runs, beside others.
// The constants that it is made from need not stay in memory.
func later[T any](b *builder, k weightKey, make func() (T, error)) *form[T] {
	f := formOf(b.p.weights, k, func() (T, error) {
		x, err := make()
		for _, t := range []*tensor.Tensor{k.t, k.with} {
			if t != nil {
				t.Forget()
			}
		}
		return x, err
	})
	b.pending = append(b.pending, f.done)
	return f
}

// reals are the elements of a real constant as float32.
func (w *weights) reals(t *tensor.Tensor) []float32 {
	f := formOf(w, weightKey{t: t, form: "f32"}, func() ([]float32, error) { return tensor.Float32s(t), nil })
	f.done()
	return f.x
}

// pack makes the forms that the steps need, on as many threads as a run has.
func (b *builder) pack() error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, len(b.pending))
	for range b.p.o.Threads {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(b.pending); i = next.Add(1) - 1 {
				errs[i] = b.pending[i]()
			}
		})
	}
	wg.Wait()
	// Steps hold what they read; decoded weights need not stay beside it.
	for t := range b.p.codes {
		t.Forget()
	}
	return errors.Join(errs...)
}
