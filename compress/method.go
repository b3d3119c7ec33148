package compress

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"pare/calib"
	"pare/ir"
)

// Method is one compression algorithm. It is a pointer to a plain struct whose
// exported fields are its configuration; after Validate it is read-only. Fields
// carry the tags `json` (the parameter's name) and `doc` (one line), and
// optionally `values` (the accepted words, separated by "|"). The fields of an
// embedded struct count like its own, so that methods can share parameters.
type Method interface {
	// Validate reports the first problem with the configuration.
	Validate() error

	// Apply compresses m. All edits go through ir.Patch. It returns
	// context.Cause(ctx) soon after ctx is cancelled.
	Apply(ctx context.Context, m *ir.Model, env *Env) error
}

// Calibrated is implemented by methods that look at activations. The requests
// are answered by one pass over the data, if there are data, before Apply.
type Calibrated interface {
	Needs(m *ir.Model, env *Env) []calib.Request
}

// Prepared is implemented by methods that need the model in a certain form, such
// as a newer operator set, before activations are observed: Prepare may replace
// nodes and values, Needs and Apply then see the same ones.
type Prepared interface {
	Prepare(m *ir.Model, env *Env) error
}

// Info is a method's entry in the registry.
type Info struct {
	Name string        // as written in recipes, such as "powerquant"
	Kind Kind          // one of Kinds: says where in a recipe it stands
	Doc  string        // one line
	Ref  string        // paper or specification
	New  func() Method // returns the defaults
	// Codes says that a method which prunes or decomposes also works on the codes of
	// weights, behind steps that quantise.
	Codes bool
	// Data says that the method cannot work without samples: recipes with it are
	// refused at once where there are none.
	Data bool
	// Unfolded says that a method which prunes or decomposes sees weights as batch-norms
	// behind them change them, so that these need not be folded first.
	Unfolded bool
	// Trial marks methods that are not covered by compatibility promises.
	Trial bool
}

var registry = map[string]Info{}

// Register adds a method. It panics on a duplicate or incomplete entry, so that
// a mistake shows at start-up and never in the middle of a run.
func Register(i Info) {
	if i.Name == "" || i.Doc == "" || i.New == nil {
		panic(fmt.Sprintf("compress: incomplete method %+v", i))
	}
	if _, dup := registry[i.Name]; dup {
		panic("compress: two methods called " + i.Name)
	}
	if _, err := params(i.New()); err != nil {
		panic(fmt.Sprintf("compress: method %s: %v", i.Name, err))
	}
	registry[i.Name] = i
}

// Methods lists the registered methods by name.
func Methods() []Info {
	var out []Info
	for _, i := range registry {
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Find looks a method up by name.
func Find(name string) (Info, bool) {
	i, ok := registry[name]
	return i, ok
}
