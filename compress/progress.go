package compress

// Progress is one step forward of a running recipe. Index never falls during a run,
// and Done never while Step, What and Total stay what they are.
type Progress struct {
	Step         string // canonical spelling
	Index, Steps int    // which step of the recipe it is, from 0, and of how many
	// What is the activity that Done counts, such as "calibration"; "" for layers.
	What        string
	Layer       string // that was done last, where layers are counted
	Done, Total int    // of the activity; Total is 0 when unknown
}

// Advance tells how far an activity of the running step is. What names it and stays the
// same while done goes from 0 to total; both are in units of about equal time, such as
// the optimiser's steps on all layers together, so that the pace tells what is left.
// Until it is complete, layers that are done are not told on their own.
func (e *Env) Advance(what string, done, total int) {
	if what == e.inside.What && total == e.inside.Total {
		done = max(done, e.inside.Done)
	}
	e.inside = Progress{What: what, Done: min(done, total), Total: total}
	e.tell(e.inside)
}

// advance tells of a layer that is done.
func (e *Env) advance(layer string) {
	if e.inside.Done == e.inside.Total {
		e.tell(Progress{Layer: layer, Done: e.step.Layers + e.step.Skipped, Total: e.total})
	}
}

func (e *Env) tell(p Progress) {
	if e.progress != nil {
		p.Step, p.Index, p.Steps = e.step.Step, e.index, e.steps
		e.progress(p)
	}
}
