package dataset

import "context"

// Tail is what a set holds behind its first n samples; it may be empty.
func Tail(s Set, n int) Set {
	if n <= 0 {
		return s
	}
	return tail{s, min(n, s.Len())}
}

type tail struct {
	Set
	from int
}

func (t tail) Len() int { return t.Set.Len() - t.from }

func (t tail) Batch(ctx context.Context, lo, hi int) (Batch, error) {
	return t.Set.Batch(ctx, lo+t.from, hi+t.from)
}
