package engine

import (
	"sync"

	"pare/ir"
	"pare/tensor"
)

// weightKey names a form of a constant: the constant, what was done to it, and
// a second constant that took part.
type weightKey struct {
	t, with *tensor.Tensor
	form    string
	extra   int
}

// weights keeps the packed forms of the constants of a program, shared by its
// specialisations.
type weights struct {
	mu    sync.Mutex
	owned map[*tensor.Tensor]bool
	made  map[weightKey]any
}

func newWeights(g *ir.Graph) *weights {
	w := &weights{owned: map[*tensor.Tensor]bool{}, made: map[weightKey]any{}}
	for _, v := range g.Consts {
		w.owned[v.Const] = true
	}
	return w
}

// packed returns the form, made once. Constants that only a specialisation
// knows are not kept.
func packed[T any](w *weights, k weightKey, make func() (T, error)) (T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if x, ok := w.made[k]; ok {
		return x.(T), nil
	}
	x, err := make()
	if err == nil && w.owned[k.t] && (k.with == nil || w.owned[k.with]) {
		w.made[k] = x
	}
	return x, err
}

// reals are the elements of a real constant as float32.
func (w *weights) reals(t *tensor.Tensor) []float32 {
	if t.Type == tensor.Float32 {
		return tensor.Float32s(t)
	}
	x, _ := packed(w, weightKey{t: t, form: "f32"}, func() ([]float32, error) { return tensor.Float32s(t), nil })
	return x
}
