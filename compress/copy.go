package compress

import (
	"context"

	"pare/ir"
)

func init() {
	Register(Info{
		Name: "copy",
		Kind: Neutral,
		Doc:  "change nothing: read, check and write",
		Ref:  "lossless by construction",
		New:  func() Method { return &Copy{} },
	})
}

// Copy changes nothing.
type Copy struct{}

// Validate implements Method.
func (*Copy) Validate() error { return nil }

// Apply implements Method.
func (*Copy) Apply(context.Context, *ir.Model, *Env) error { return nil }
