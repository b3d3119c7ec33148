package pass

import (
	"context"
	"fmt"
	"slices"

	"pare/ir"
	"pare/op"
)

// Pass is one rewrite of a graph. Running it again on its own result changes
// nothing unless another pass changed something in between.
type Pass struct {
	Name string
	Doc  string
	// run rewrites the graph and returns the number of rewrites.
	run func(w *work) (int, error)
}

// Pipeline lists the passes of Simplify in order. The whole list runs until no
// pass finds anything.
var Pipeline = []Pass{
	{"listed", "constants that old files had to list as inputs are inputs no more", unlist},
	{"constants", "Constant nodes become constants of the graph", constantNodes},
	{"shapes", "values whose elements follow from known dimensions become constants", knownShapes},
	{"evaluate", "nodes with constant operands become their results", evaluate},
	{"requests", "shapes asked of Reshape become constants but for one free dimension", constantRequests},
	{"transposes", "a transposition of a transposition becomes one", mergeTransposes},
	{"reshapes", "a reshape of a reshape becomes one", mergeReshapes},
	{"pads", "padding that is cut off again, or padded again, is merged", mergePads},
	{"identities", "nodes that return their operand disappear", identities},
	{"dead", "nodes and constants that nothing reads disappear", dead},
}

// order says which pass must stand before which, and why.
var order = []struct{ before, after, why string }{
	{"constants", "shapes", "a shape asked by a Constant node is a constant already"},
	{"constants", "evaluate", "operands given by Constant nodes count as constants"},
	{"shapes", "requests", "what is known entirely needs no free dimension"},
	{"transposes", "identities", "two transpositions that cancel leave one that does nothing"},
	{"reshapes", "identities", "two reshapes that cancel leave one that does nothing"},
	{"pads", "identities", "merged padding may be none"},
	{"identities", "dead", "a skipped node leaves its constants unused"},
}

func init() {
	if err := checkOrder(Pipeline); err != nil {
		panic("pass: " + err.Error())
	}
}

func checkOrder(list []Pass) error {
	at := func(name string) int { return slices.IndexFunc(list, func(p Pass) bool { return p.Name == name }) }
	for _, o := range order {
		a, b := at(o.before), at(o.after)
		if a < 0 || b < 0 {
			return fmt.Errorf("order names a pass that does not exist: %s, %s", o.before, o.after)
		}
		if a >= b {
			return fmt.Errorf("%s must run before %s: %s", o.before, o.after, o.why)
		}
	}
	return nil
}

// maxRounds bounds the repetition of the pipeline: every round but the last
// shrinks the graph, so that only a mistake in a pass reaches it.
const maxRounds = 1000

// Options are the settings of SimplifyWith.
type Options struct {
	// Growth is the number of bytes by which a folded constant may exceed the
	// constants that it makes superfluous; 0 means 2 KiB.
	Growth int64
	// Most is the number of bytes of the largest constant that is folded; 0 sets no
	// limit.
	Most int64
	// After, when set, is called after every pass that changed something, with
	// the number of its rewrites. An error ends the simplification.
	After func(p Pass, rewrites int) error
}

// SimplifyReport says what Simplify did.
type SimplifyReport struct {
	Before, After int            // nodes of the graph
	Rewrites      map[string]int // by pass
}

// Simplify dissolves what exporters leave behind, in place: constants computed
// at run time, shape arithmetic, nodes without effect, nodes and constants that
// nothing reads. What compression wrote stays: quantised constants, functions of
// the model. Results of the graph are bitwise the same, but for the sign of zeros.
// It fills in types.
func Simplify(ctx context.Context, m *ir.Model) (SimplifyReport, error) {
	return SimplifyWith(ctx, m, Options{})
}

// SimplifyWith is Simplify with options.
func SimplifyWith(ctx context.Context, m *ir.Model, o Options) (SimplifyReport, error) {
	if o.Growth == 0 {
		o.Growth = 2 << 10
	}
	r := SimplifyReport{Before: len(m.Graph.Nodes), Rewrites: map[string]int{}}
	w := newWork(ctx, m, o)
	for range maxRounds {
		n, err := w.round(r.Rewrites)
		if err != nil {
			return r, err
		}
		if n == 0 {
			break
		}
	}
	r.After = len(m.Graph.Nodes)
	_, err := op.Infer(m)
	return r, err
}

// round runs the pipeline once.
func (w *work) round(rewrites map[string]int) (total int, err error) {
	for _, p := range Pipeline {
		if err := context.Cause(w.ctx); err != nil {
			return total, err
		}
		if err := w.learn(); err != nil {
			return total, err
		}
		n, err := p.run(w)
		if err == nil && n > 0 && w.o.After != nil {
			err = w.o.After(p, n)
		}
		if err != nil {
			return total, fmt.Errorf("pass %s: %w", p.Name, err)
		}
		if n > 0 {
			rewrites[p.Name] += n
		}
		total += n
	}
	return total, nil
}
