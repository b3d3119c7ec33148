package sense

import (
	"context"
	"sync"

	"pare/dataset"
)

// mostSamples bounds the memory for samples, in bytes.
const mostSamples = 96 << 20

// memory is a set that keeps batches, since every layer runs the same ones.
type memory struct {
	dataset.Set
	mu   sync.Mutex
	by   map[[2]int]dataset.Batch
	size int
	// single batches are kept, too; otherwise these are read for gradients alone
	single bool
}

func remember(s dataset.Set, single bool) *memory {
	return &memory{Set: s, by: map[[2]int]dataset.Batch{}, single: single}
}

// Batch implements dataset.Set.
func (m *memory) Batch(ctx context.Context, lo, hi int) (dataset.Batch, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [2]int{lo, hi}
	if b, ok := m.by[key]; ok {
		return b, nil
	}
	b, err := m.Set.Batch(ctx, lo, hi)
	if err != nil || hi == lo+1 && !m.single {
		return b, err
	}
	n := 0
	for _, t := range b.Inputs {
		n += len(t.Bytes())
	}
	if m.size+n <= mostSamples {
		m.by[key], m.size = b, m.size+n
	}
	return b, nil
}
