package tensor

import (
	"slices"
	"sync"
)

// later is elements that are made when something asks for them.
type later struct {
	mu   sync.Mutex
	make func() *Tensor
	raw  []byte
}

// Later returns a tensor whose elements make returns, in a tensor of the same type
// and shape, when they are first read; not String. It must always return the same.
func Later(t DType, shape []int, make func() *Tensor) *Tensor {
	return &Tensor{Type: t, Shape: slices.Clone(shape), later: &later{make: make}}
}

// Forget lets the elements of a tensor from Later go, which the next reader has
// made again, and the memory of one from FromFile, which the system then reads
// again. Slices handed out before stay valid. Others it leaves alone.
func (t *Tensor) Forget() {
	if t.file {
		handBack(t.raw)
	}
	if t.later != nil {
		t.later.mu.Lock()
		defer t.later.mu.Unlock()
		t.later.raw = nil
	}
}

// bytes are the elements.
func (t *Tensor) bytes() []byte {
	if t.later == nil {
		return t.raw
	}
	t.later.mu.Lock()
	defer t.later.mu.Unlock()
	if t.later.raw == nil {
		t.later.raw = t.later.make().bytes()
	}
	return t.later.raw
}
