package compress

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"

	"pare/calib"
	"pare/internal/cpu"
	"pare/internal/journal"
	"pare/tensor"
)

// Journal is where a run keeps results of costly parts, so that a run of the same
// recipe on the same input goes on where an interrupted one was.
type Journal struct {
	// Dir is the folder; it appears with the first result. The caller removes it with
	// RemoveJournal when the compressed model is safe.
	Dir string
	// Input hashes the model that the recipe starts from. It is called when a method
	// first asks for a result.
	Input func() (string, error)
	// Version says which code made the results.
	Version string
}

// RemoveJournal deletes what runs kept in a folder, and the folder unless it holds
// other things.
func RemoveJournal(dir string) error { return journal.Remove(dir) }

// JournalParts is the number of results in a folder.
func JournalParts(dir string) int {
	own, other := journal.Entries(dir)
	return own + other
}

// kept is the journal of a run. It is opened by the first result that is asked for.
type kept struct {
	*Journal
	data   func() (string, error) // hashes what is calibrated on
	facts  string                 // what all steps depend on, once it is open
	steps  []string               // the recipe up to each step
	broken bool                   // it cannot be written: a warning said so
}

// newKept returns nil for no journal.
func (r *Recipe) newKept(ctx context.Context, o Options) *kept {
	if o.Journal == nil {
		return nil
	}
	k := &kept{Journal: o.Journal, data: func() (string, error) { return samplesHash(ctx, o.Data) }}
	for i := range r.Steps {
		k.steps = append(k.steps, (&Recipe{Steps: r.Steps[:i+1], Layers: r.Layers, For: r.For}).String())
	}
	return k
}

// Resume returns in *into the result of a costly part of the running step: as an
// interrupted run of the same recipe on the same input left it, or made, and kept.
// make fills *into and must do nothing else that counts. Keys tell the parts of a step
// apart; one goroutine may ask at a time. A result is kept as a gob: exported fields count,
// -0 in a field of its own becomes 0, and empty slices become nil. Without a journal make
// is simply called.
func (e *Env) Resume(key string, into any, make func() error) error {
	if e.journal == nil || e.journal.broken {
		return make()
	}
	id, err := e.journal.id(e)
	if err != nil {
		e.unkept(err)
		return make()
	}
	found, err := journal.Load(e.journal.Dir, id, key, into)
	if err != nil {
		e.Warn("%v and is made anew", err)
	}
	if found {
		e.report.Resumed++
		return nil
	}
	if err := make(); err != nil {
		return err
	}
	if err := journal.Keep(e.journal.Dir, id, key, into); err != nil {
		e.unkept(err)
	}
	return nil
}

// unkept warns, once, that nothing is there to go on from.
func (e *Env) unkept(err error) {
	if !e.journal.broken {
		e.Warn("results are not kept, so that an interrupted run must start anew: %v", err)
	}
	e.journal.broken = true
}

// id is that of the running step: of everything that its results depend on.
func (k *kept) id(e *Env) (journal.ID, error) {
	if k.facts == "" {
		if err := k.open(e); err != nil {
			return journal.ID{}, err
		}
	}
	return journal.IDOf(k.facts, k.steps[e.index]), nil
}

// open works out what results depend on, and warns of those that depend on something
// else.
func (k *kept) open(e *Env) error {
	input, err := k.Input()
	if err != nil {
		return err
	}
	data, err := k.data()
	if err != nil {
		return err
	}
	k.facts = fmt.Sprint("version ", k.Version, "\nprocessor ", runtime.GOARCH, " ", cpu.Level(), "\ninput ", input, "\nseed ", e.Seed, "\nrange ", e.Input, "\ndata ", data)
	var own []journal.ID
	for _, s := range k.steps {
		own = append(own, journal.IDOf(k.facts, s))
	}
	if _, other := journal.Entries(k.Dir, own...); other > 0 {
		e.Warn("%s holds %d results of another run (of another model, recipe, seed, data or version): they are not used", k.Dir, other)
	}
	return nil
}

// samplesHash hashes the samples to calibrate on with their labels.
func samplesHash(ctx context.Context, d *calib.Data) (string, error) {
	if d == nil {
		return "none", nil
	}
	n := d.Set.Len()
	if d.Samples > 0 {
		n = min(n, d.Samples)
	}
	h := sha256.New()
	const step = 8
	for lo := 0; lo < n; lo += step {
		if err := context.Cause(ctx); err != nil {
			return "", err
		}
		batch, err := d.Set.Batch(ctx, lo, min(lo+step, n))
		if err != nil {
			return "", err
		}
		for _, name := range slices.Sorted(maps.Keys(batch.Inputs)) {
			hashTensor(h, name, batch.Inputs[name])
		}
		fmt.Fprint(h, batch.Labels, batch.Scores)
	}
	return fmt.Sprint(n, " samples ", hex.EncodeToString(h.Sum(nil))), nil
}

// hashTensor writes all that a tensor is.
func hashTensor(h io.Writer, name string, t *tensor.Tensor) {
	fmt.Fprintf(h, "%q %v %v ", name, t.Type, t.Shape)
	if t.Type == tensor.String {
		fmt.Fprintf(h, "%q", t.Strings())
		return
	}
	h.Write(t.Bytes())
}
