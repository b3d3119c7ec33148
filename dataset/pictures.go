package dataset

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"pare/tensor"
)

// batch assembles samples lo to hi-1 from a function that reads one picture
// with its stored label (negative when unknown). Pictures are read in parallel.
func (p prepare) batch(ctx context.Context, lo, hi int, read func(i int) (pixels, int, error)) (Batch, error) {
	if lo < 0 || hi <= lo {
		return Batch{}, fmt.Errorf("batch of samples %d to %d", lo, hi)
	}
	pics := make([]pixels, hi-lo)
	labels := make([]int, hi-lo)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range pics {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			var err error
			if pics[i], labels[i], err = read(lo + i); err != nil || labels[i] < 0 {
				return err
			}
			labels[i], err = p.label(labels[i])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Batch{}, err
	}
	x, err := p.tensor(pics)
	if err != nil {
		return Batch{}, err
	}
	return Batch{Inputs: map[string]*tensor.Tensor{p.input: x}, Labels: labels}, nil
}
