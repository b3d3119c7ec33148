package compress_test

import (
	"context"
	"strings"
	"testing"

	"pare/compress"
	"pare/internal/fault"
	"pare/ir"
)

// learner stands for a method that learns from samples.
type learner struct {
	Base compress.Nested `json:"base" doc:"a step within"`
}

func (*learner) Validate() error                                       { return nil }
func (*learner) Apply(context.Context, *ir.Model, *compress.Env) error { return nil }

// wrapper holds another step and needs nothing itself.
type wrapper struct {
	Base compress.Nested `json:"base" doc:"a step within"`
}

func (*wrapper) Validate() error                                       { return nil }
func (*wrapper) Apply(context.Context, *ir.Model, *compress.Env) error { return nil }

func init() {
	compress.Register(compress.Info{Name: "learner", Kind: compress.Tuning, Doc: "learns", Ref: "-", Data: true, New: func() compress.Method { return &learner{} }})
	compress.Register(compress.Info{Name: "wrapper", Kind: compress.Tuning, Doc: "wraps", Ref: "-", New: func() compress.Method { return &wrapper{} }})
}

// Recipes that learn are refused before their first step where there are no samples,
// also where the step that learns is within another one.
func TestSupply(t *testing.T) {
	for text, refused := range map[string]bool{"copy+learner": true, "wrapper(base=learner)": true, "wrapper(base=copy)": false} {
		r, err := compress.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ir.Parse(strings.NewReader("opset 13\ngraph g(x f32[1]) -> (y) {\n  y = Relu(x)\n}\n"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Run(context.Background(), m, compress.Options{})
		_, _, hint := fault.Describe(err)
		if (err != nil) != refused || refused && !strings.Contains(hint, "--data") {
			t.Errorf("%s: %v, hint %q", text, err, hint)
		}
	}
}
