package main

import (
	"context"
	"fmt"
	"time"

	"pare"
	"pare/internal/cpu"
	"pare/internal/stat"
	"pare/tensor"
)

// timing is the time of one sample on one thread, against the original's.
type timing struct {
	CPU      string     `json:"cpu"` // level of the kernels
	MedianMS float64    `json:"median_ms"`
	Original float64    `json:"original_ms"`
	Ratio    float64    `json:"ratio"` // the original's time over this one's: above 1 this one is faster
	Interval [2]float64 `json:"ratio_interval"`
}

// How long a point is timed.
const (
	raceTime   = 300 * time.Millisecond
	fewestRuns = 9
	warmRuns   = 3
)

// untimed lists the columns of a network that have figures but no time.
func (s *set) untimed(n network, old []row, w wishes) []column {
	var out []column
	for _, c := range s.columns {
		r := find(old, n.name, c)
		if c.point != "" && n.fill == "" && c.wished(n, w) && r != nil && r.Error == "" && (w.again || r.Time == nil) {
			out = append(out, c)
		}
	}
	return out
}

// time adds times to rows of the network.
func (n network) time(ctx context.Context, columns []column, old []row, w wishes, keep func(row) error) error {
	t, err := newTrial(ctx, n, w)
	if err != nil {
		return err
	}
	defer t.close()
	in, _, err := t.original.RandomInputs(pare.Random{Seed: 1, Batch: 1})
	if err != nil {
		return err
	}
	original, err := t.original.NewSession(ctx, pare.SessionOptions{Threads: 1})
	if err != nil {
		return err
	}
	for _, c := range columns {
		start, r := time.Now(), *find(old, n.name, c)
		if r.Time, err = t.timeOf(ctx, c, r, original, in); ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			fmt.Printf("%s: not timed: %v\n", n.name, err)
			continue
		}
		r.cell = time.Since(start)
		if err := keep(r); err != nil {
			return err
		}
	}
	return nil
}

// timeOf times the network of a row in turn with the original.
func (t *trial) timeOf(ctx context.Context, c column, r row, original *pare.Session, in map[string]*tensor.Tensor) (*timing, error) {
	path := t.file(c)
	if sum, err := digest(path); err != nil || sum != r.File {
		w, err := t.write(ctx, c)
		if err != nil {
			return nil, err
		}
		if path = w.path; w.digest != r.File {
			return nil, fmt.Errorf("%s at %s now gives another file than that of the figures; measure it with -again first", c.name, c.point)
		}
	}
	m, err := pare.Load(path)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	small, err := m.NewSession(ctx, pare.SessionOptions{Threads: 1})
	if err != nil {
		return nil, err
	}
	return race(ctx, small, original, in)
}

// race runs two networks in turn on the same input.
func race(ctx context.Context, small, original *pare.Session, in map[string]*tensor.Tensor) (*timing, error) {
	var seconds [2][]float64
	var ratios []float64
	for k, start := -warmRuns, time.Now(); k < fewestRuns || time.Since(start) < raceTime; k++ {
		for j := range 2 {
			which := (j + k&1) % 2 // none always comes first
			began := time.Now()
			if _, err := [2]*pare.Session{small, original}[which].Run(ctx, in); err != nil {
				return nil, err
			}
			if k >= 0 {
				seconds[which] = append(seconds[which], time.Since(began).Seconds())
			}
		}
		if k >= 0 {
			ratios = append(ratios, seconds[1][k]/seconds[0][k])
		}
	}
	ratio, interval := stat.Median(ratios), stat.MedianInterval(ratios)
	ms, other := stat.Median(seconds[0])*1e3, stat.Median(seconds[1])*1e3
	return &timing{cpu.Level(), *rounded(&ms), *rounded(&other), *rounded(&ratio), [2]float64{*rounded(&interval[0]), *rounded(&interval[1])}}, nil
}
