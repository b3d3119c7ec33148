package pare_test

import (
	"math"
	"strings"
	"testing"

	"pare"
	"pare/demo"
)

func TestBench(t *testing.T) {
	m, err := pare.Decode(demo.Model())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Compress(t.Context(), "w8a8", pare.Options{}); err != nil {
		t.Fatal(err)
	}
	r, err := m.Bench(t.Context(), pare.BenchOptions{Threads: 1, Batch: 2, Runs: 6})
	if err != nil {
		t.Fatal(err)
	}
	if r.Runs != 6 || r.MinMS > r.MedianMS || r.MedianMS > r.MaxMS || r.FirstMS <= 0 || r.GOPS <= 0 || r.Peak <= 0 || r.IntPeak <= 0 || r.Read <= 0 {
		t.Errorf("%+v", r)
	}
	share, ms, integers := 0.0, 0.0, 0
	for _, s := range r.Steps {
		share, ms = share+s.Share, ms+s.MS
		if s.Bytes <= 0 || s.MS > 0 && math.Abs(s.GBS*s.MS*1e6/float64(s.Bytes)-1) > 1e-9 {
			t.Errorf("%s moves %d bytes in %v ms at %v GB/s", s.Name, s.Bytes, s.MS, s.GBS)
		}
		if s.Integer {
			integers++
		}
	}
	if math.Abs(share-1) > 1e-9 || integers == 0 {
		t.Errorf("shares add up to %v, %d steps compute on integers", share, integers)
	}
	steps := 0
	for _, k := range r.Kernels {
		steps, ms = steps+k.Steps, ms-k.MS
	}
	if steps != len(r.Steps) || math.Abs(ms) > 1e-9 {
		t.Errorf("kernels have %d of %d steps, %v ms are missing", steps, len(r.Steps), ms)
	}
	slow := pare.Slowest(r.Steps, 3)
	if len(slow) != 3 || slow[0].MS < slow[1].MS || slow[1].MS < slow[2].MS {
		t.Errorf("the slowest steps are %+v", slow)
	}
}

func TestBenchRivalNeedsFile(t *testing.T) {
	m, err := pare.Decode(demo.Model())
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Bench(t.Context(), pare.BenchOptions{Rival: []string{"true"}})
	if err == nil || !strings.Contains(err.Error(), "was not loaded from a file") {
		t.Error(err)
	}
}
