package engine

import (
	"math/rand/v2"
	"testing"
)

// TestPlanMemory plans random programs and demands that no step overwrites what
// a later one reads.
func TestPlanMemory(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		var bufs []*buf
		var steps []*step
		for i := range 30 {
			s := &step{}
			for range r.IntN(3) {
				if len(bufs) > 0 {
					m := bufs[len(bufs)-1-r.IntN(min(len(bufs), 6))]
					m.last = i
					s.reads = append(s.reads, m)
				}
			}
			m := newBuf(1 + r.IntN(100))
			m.first, m.last = i, i
			s.writes = []*buf{m}
			if len(s.reads) > 0 && r.IntN(2) == 0 {
				s.reuse = s.reads[0]
				m.floats = s.reuse.floats
			}
			bufs, steps = append(bufs, m), append(steps, s)
		}
		size := planMemory(steps)
		owner := make([]*buf, size)
		for i, s := range steps {
			for _, m := range s.reads {
				for k := m.off; k < m.off+m.floats; k++ {
					if owner[k] != m {
						t.Fatalf("seed %d: step %d reads what another step has overwritten", seed, i)
					}
				}
			}
			m := s.writes[0]
			for k := m.off; k < m.off+m.floats; k++ {
				owner[k] = m
			}
		}
	}
}
