package train

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
)

// stream is a random source that depends on the seed, a purpose and a number alone.
func stream(seed uint64, purpose string, n int) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(seed^h.Sum64(), uint64(n)))
}

// order says which samples belong to which step: every epoch goes once over the
// samples that are not held, in an order of its own, and leaves out what does not fill
// a batch.
type order struct {
	seed  uint64
	batch int
	train []int // samples to learn from
	held  []int // samples to measure on
	epoch int   // that perm is of
	perm  []int
}

// newOrder divides n samples. Those that are held are drawn from all of them, as files
// may be sorted by class.
func newOrder(n, held, batch int, seed uint64) *order {
	if held < 0 {
		held = min(n/10, mostHeld)
	}
	held = min(held, n-1)
	all := stream(seed, "held", 0).Perm(n)
	o := &order{seed: seed, held: all[:held], train: all[held:], epoch: -1}
	slices.Sort(o.held)
	slices.Sort(o.train)
	o.batch = min(batch, len(o.train))
	return o
}

// perEpoch is the number of steps of an epoch.
func (o *order) perEpoch() int { return len(o.train) / o.batch }

// at lists the samples of a step.
func (o *order) at(step int) []int {
	epoch, k := step/o.perEpoch(), step%o.perEpoch()
	if o.epoch != epoch {
		o.perm = stream(o.seed, "order", epoch).Perm(len(o.train))
		o.epoch = epoch
	}
	out := make([]int, o.batch)
	for i := range out {
		out[i] = o.train[o.perm[k*o.batch+i]]
	}
	return out
}
