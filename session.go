package pare

import (
	"context"

	"pare/engine"
)

// SessionOptions say how a model is run.
type SessionOptions = engine.Options

// Session runs a model; it serves one caller at a time.
type Session = engine.Session

// NewSession compiles the model for this machine. The session does not follow
// later changes of the model, but needs its file open.
func (m *Model) NewSession(ctx context.Context, o SessionOptions) (*Session, error) {
	p, err := engine.Compile(ctx, m.ir, o)
	if err != nil {
		return nil, named(m.path, err)
	}
	return p.NewSession(), nil
}
