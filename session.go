package pare

import (
	"context"

	"pare/engine"
)

// SessionOptions say how a model is run.
type SessionOptions = engine.Options

// Program is a compiled model, which does not change: any number of sessions may
// share it and its packed weights, at the same time.
type Program = engine.Program

// Session runs a model; it serves one caller at a time, others wait. Sizes that
// the model leaves open, such as the batch, may vary from run to run: the first
// run of new shapes plans for them. A run whose context is cancelled ends with
// the context's cause before its next task, and the session serves again. Runs
// after the first of their shapes allocate only what they return.
type Session = engine.Session

// Compile makes a program of the model for this machine. The program does not
// follow later changes of the model, but needs its file open.
func (m *Model) Compile(ctx context.Context, o SessionOptions) (*Program, error) {
	p, err := engine.Compile(ctx, m.ir, o)
	if err != nil {
		return nil, named(m.path, err)
	}
	return p, nil
}

// NewSession is Compile and a session of the program. Sessions that run at the
// same time should share one: Session.Program.
func (m *Model) NewSession(ctx context.Context, o SessionOptions) (*Session, error) {
	p, err := m.Compile(ctx, o)
	if err != nil {
		return nil, err
	}
	return p.NewSession(), nil
}
