package main

import (
	"context"
	"fmt"

	"pare"
	"pare/internal/stat"
	"pare/tensor"
	"pare/x/ort"
)

// result is what a number of pairs of runs gave.
type result struct {
	pare, ort float64 // median seconds
	ratio     float64 // median over the pairs of ort / pare
	interval  [2]float64
}

func (r result) String() string {
	return fmt.Sprintf("pare %8.2f ms, ONNX Runtime %8.2f ms, ratio %.2f [%.2f, %.2f]", 1e3*r.pare, 1e3*r.ort, r.ratio, r.interval[0], r.interval[1])
}

// warm is the number of runs of each engine that are not counted.
const warm = 3

// measure times both engines on one input of the model, in turn.
func measure(ctx context.Context, path string, threads, pairs int, now clock) (result, error) {
	m, err := pare.Load(path)
	if err != nil {
		return result{}, err
	}
	defer m.Close()
	in, _, err := m.RandomInputs(pare.Random{Seed: 1})
	if err != nil {
		return result{}, err
	}
	ours, err := m.NewSession(ctx, pare.SessionOptions{Threads: threads})
	if err != nil {
		return result{}, err
	}
	theirs, err := ort.Open(path, ort.Options{Threads: threads, Optimise: true})
	if err != nil {
		return result{}, err
	}
	defer theirs.Close()
	a, b, err := interleave(warm+pairs, now, in,
		func(in map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) { return ours.Run(ctx, in) },
		theirs.Run)
	if err != nil {
		return result{}, err
	}
	return summary(a[warm:], b[warm:]), nil
}

type runner func(map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error)

// interleave runs a and b in turn; which one comes first changes from pair to
// pair.
func interleave(pairs int, now clock, in map[string]*tensor.Tensor, a, b runner) (ta, tb []float64, err error) {
	take := func(r runner, to *[]float64) {
		start := now()
		if _, e := r(in); e != nil && err == nil {
			err = e
		}
		*to = append(*to, now()-start)
	}
	for k := 0; k < pairs && err == nil; k++ {
		if k%2 == 0 {
			take(a, &ta)
			take(b, &tb)
		} else {
			take(b, &tb)
			take(a, &ta)
		}
	}
	return ta, tb, err
}

func summary(ours, theirs []float64) result {
	ratios := make([]float64, len(ours))
	for i := range ratios {
		ratios[i] = theirs[i] / ours[i]
	}
	return result{stat.Median(ours), stat.Median(theirs), stat.Median(ratios), stat.MedianInterval(ratios)}
}
