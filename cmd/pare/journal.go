package main

import (
	"pare"
	"pare/internal/fault"
)

// journalEnd is what the name of the folder ends with that keeps the results of an
// interrupted run beside its output.
const journalEnd = ".journal"

// journal is the folder for results to go on from, "" for none; it is emptied when the
// run is to start anew.
func (o *compressFlags) journal() (string, error) {
	if o.dry {
		return "", nil
	}
	dir := o.out + journalEnd
	if o.anew {
		return dir, pare.RemoveJournal(dir)
	}
	return dir, nil
}

// written drops what an interrupted run would go on from.
func written(dir string) error {
	if dir == "" {
		return nil
	}
	return pare.RemoveJournal(dir)
}

// resumable adds to the error of a run what it left to go on from.
func resumable(err error, dir string) error {
	if dir == "" || pare.JournalParts(dir) == 0 {
		return err
	}
	hint := dir + " keeps what was done: the same command goes on from there, --no-resume starts anew"
	if _, _, other := fault.Describe(err); other != "" {
		hint = other + "; " + hint
	}
	return keptError{fault.Hint(err, "%s", hint)}
}

// keptError is an error of work that can be gone on with.
type keptError struct{ error }

func (e keptError) Unwrap() error { return e.error }
