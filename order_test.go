package pare_test

import (
	"strings"
	"testing"

	"pare"
	"pare/compress"
	"pare/internal/fault"
	"pare/ir"
)

// TestOrder checks every rule on the order of steps, with what is proposed.
func TestOrder(t *testing.T) {
	for _, c := range []struct{ recipe, message, hint string }{
		{"fold+uniform(w=4)+split", "split stands behind uniform(w=4), but compares and shrinks weights as numbers", "write fold+split+uniform(w=4)"},
		{"fold+uniform(w=4)+red", "red stands behind uniform(w=4), but compares", "write fold+red+uniform(w=4)"},
		{"fold+powerquant+correct+svd(error=0.1)", "svd(error=0.1) stands behind powerquant, but compares", "write fold+svd(error=0.1)+powerquant+correct"},
		{"fold+codebook+magnitude(rate=0.1);fc:skip;for=avx2", "magnitude(rate=0.1) stands behind codebook, but compares", "write fold+magnitude(rate=0.1)+codebook;fc:skip;for=avx2"},
		{"fold+red+++powerquant+rex", "rex stands behind powerquant, which leaves no weights", "write fold+red+++rex(base=powerquant)"},
		{"fold+red(store=codebook)+uniform", "uniform stands behind red(store=codebook), which leaves no weights", "write fold+red(store=codebook)"},
		{"fold+rex+split", "split stands behind rex, but compares", "write fold+split+rex"},
		{"powerquant+fold", "fold stands behind powerquant, but batch-norms cannot be folded into codes", "write fold+powerquant"},
		{"fold+uniform+equalize;fc:skip", "equalize stands behind uniform, but moves factors through weights", "write fold+equalize+uniform;fc:skip"},
		{"fold+powerquant(w=3)+rex(order=2)", "rex(order=2) stands behind powerquant(w=3), which leaves no weights", "write fold+rex(base=powerquant(w=3),order=2)"},
		{"fold+uniform(w=4)+codebook", "codebook stands behind uniform(w=4), which leaves no weights", "write fold+uniform(w=4)"},
		{"fold+rex+rex", "rex stands behind rex, which leaves no weights", "write fold+rex"},
		{"fold+spiq+equalize+uniform", "equalize stands behind spiq and undoes it", "write fold+equalize+spiq+uniform"},
		{"fold+equalize+spiq(kappa=1)+uniform", "spiq(kappa=1) stands behind equalize, but both choose the factors of channels at full strength", "spiq(kappa=auto)"},
		{"fold+uniform+correct+correct", "correct stands behind correct, which took the errors out already", "write fold+uniform+correct"},
		{"fold+uniform+tune(epochs=2)", "tune(epochs=2) stands behind uniform, but trains weights as floats", "write fold+tune(epochs=2)+uniform"},
		{"fold+correct", "correct has nothing to correct", "uniform(w=4)+correct"},
		{"correct+uniform", "correct has nothing to correct", "uniform(w=4)+correct"},
	} {
		_, err := pare.CheckRecipe(c.recipe)
		if err == nil {
			t.Errorf("%s is accepted", c.recipe)
			continue
		}
		_, _, hint := fault.Describe(err)
		if !strings.Contains(err.Error(), c.message) || !strings.Contains(hint, c.hint) {
			t.Errorf("%s: %v, hint %q; want %q, hint %q", c.recipe, err, hint, c.message, c.hint)
		}
		if again, ok := strings.CutPrefix(hint, "write "); ok && !strings.Contains(again, " ") {
			if _, err := pare.CheckRecipe(again); err != nil {
				t.Errorf("%s: what is proposed, %s, is refused: %v", c.recipe, again, err)
			}
		}
	}
}

// TestOrderAllows accepts the chains that methods are made for, and every preset.
func TestOrderAllows(t *testing.T) {
	recipes := []string{
		"fold+uniform(w=4)+red++", "fold+red+++uniform(w=4,a=8)+correct+red++", "fold+magnitude(rate=0.1)+svd(error=0.1)+uniform",
		"fold+split+powerquant(w=4)", "fold+split+rex(base=powerquant(w=4))", "fold+equalize+spiq(kappa=0.5)+uniform(a=8)+correct",
		"fold+equalize+absorb+uniform+correct", "spiq(form=axis)+uniform", "fold+ocs+uniform", "fold+rex+correct", "copy+copy",
	}
	for _, p := range compress.Presets {
		recipes = append(recipes, p.Name)
	}
	for _, m := range compress.Methods() {
		if m.Kind != compress.Correcting {
			recipes = append(recipes, m.Name, "fold+"+m.Name)
		}
	}
	for _, r := range recipes {
		if _, err := pare.CheckRecipe(r); err != nil {
			t.Errorf("%s: %v", r, err)
		}
	}
}

// TestUnfolded: pruning in front of batch-norms that can be folded is warned of once,
// behind fold it is not.
func TestUnfolded(t *testing.T) {
	text := `
opset 17
graph g(x f32[1,1,4,4]) -> (y) {
  const w = f32[2,1,1,1]{1, 2}
  const one = f32[2]{1, 1}
  const zero = f32[2]{0, 0}
  c = Conv(x, w, _) @c
  y = BatchNormalization(c, one, zero, zero, one) @bn
}
`
	for recipe, want := range map[string]string{
		"split+split": "1 batch-norms can be folded and are not: split looks at weights that they still change; write fold+split+split",
		"split+fold":  "1 batch-norms can be folded and are not: split looks at weights that they still change; write fold+split",
		"fold+split":  "",
	} {
		m, err := ir.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		rep, err := pare.New(m).Compress(t.Context(), recipe, pare.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range rep.Warnings {
			if strings.Contains(w, "batch-norms can be folded") {
				got = append(got, w)
			}
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s: %q", recipe, got)
		}
	}
}

// TestKinds: every method says what it is for.
func TestKinds(t *testing.T) {
	known := map[compress.Kind]bool{}
	for _, k := range compress.Kinds {
		known[k.Kind] = true
	}
	for _, m := range compress.Methods() {
		if !known[m.Kind] {
			t.Errorf("%s is of kind %q, which compress.Kinds does not list", m.Name, m.Kind)
		}
	}
}
