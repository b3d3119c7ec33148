package main

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pare/compress"
)

// TestNothingJudgedIsSeen: what recipes calibrate on is not what they are measured
// on, in any set.
func TestNothingJudgedIsSeen(t *testing.T) {
	seen := 0
	for _, s := range sets {
		for _, n := range s.networks {
			for _, c := range s.columns {
				if !c.suits(n) || c.sees.samples == 0 {
					continue
				}
				got, err := c.sees.of(n)
				if err != nil {
					t.Fatalf("%s, %s: %v", s.name, n.name, err)
				}
				seen++
				if judged := [2]int{n.from, n.from + n.samples}; got.path == n.data && got.lo < judged[1] && judged[0] < got.hi {
					t.Errorf("%s: %s on %s sees %d to %d and is measured on %v", s.name, c.name, n.name, got.lo, got.hi, judged)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no column sees anything")
	}
}

// TestRecipesAreUnderstood: every recipe of the sets is one, of methods that there
// are.
func TestRecipesAreUnderstood(t *testing.T) {
	missing := map[string]bool{}
	for _, s := range sets {
		for _, c := range s.columns {
			name := strings.FieldsFunc(strings.TrimPrefix(c.steps(), "fold+"), func(r rune) bool { return r == '(' || r == '+' })[0]
			if _, ok := compress.Find(name); !ok {
				missing[name] = true
				continue
			}
			if _, err := compress.Parse(c.steps()); err != nil {
				t.Errorf("%s, %s: %v", s.name, c.name, err)
			}
		}
	}
	if len(missing) > 0 {
		t.Skipf("SKIPPED: no methods %v", missing)
	}
}

func TestOverride(t *testing.T) {
	for _, c := range [][3]string{{"a=1,b=2", "b=3", "a=1,b=3"}, {"a=1", "b=3", "a=1,b=3"}, {"a=1", "", "a=1"}, {"aa=1", "a=2", "aa=1,a=2"}} {
		if got := override(c[0], c[1]); got != c[2] {
			t.Errorf("%q with %q is %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

// TestVerdicts: differences that are all of one sign matter, small ones do not, and
// wide ones decide nothing.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		differences []float64
		want        string
	}{
		{[]float64{0.9, 1.1, 1.3, 0.7}, matters},
		{[]float64{-0.9, -1.1, -1.3, -0.7}, matters},
		{[]float64{0.05, -0.05, 0.1, -0.1}, robust},
		{[]float64{0.1, 0.12, 0.1, 0.11}, robust}, // the interval excludes 0, but by little
		{[]float64{2, -2, 1.5, -1}, undecided},
		{[]float64{5}, undecided},
	} {
		p := paired{agreement: c.differences}
		if got := p.verdict(); got != c.want {
			t.Errorf("%v: %s, want %s", c.differences, got, c.want)
		}
	}
	// Of values of variance 1 the mean of n has the standard error 1/sqrt(n).
	var x []float64
	for i := range 400 {
		x = append(x, math.Sqrt2*math.Sin(float64(i)*2*math.Pi/400))
	}
	if i := bootstrap(x); math.Abs(i[0]+1.96/20) > 0.01 || math.Abs(i[1]-1.96/20) > 0.01 {
		t.Errorf("the interval is %v, want about ±0.098", i)
	}
}

// inventedPractice are rows of all choices: a choice has the usual agreement and so
// many points more.
func inventedPractice(more map[string]float64) []row {
	var rows []row
	for _, n := range practiceNetworks() {
		for _, c := range practiceColumns() {
			rows = append(rows, row{
				Network: n.name, Recipe: c.name, Widths: c.widths, Draw: c.draw, Samples: n.samples, Seconds: 2,
				Agreement: 0.8 + more[c.name]/100, SNR: 10 + more[c.name], Bytes: 1,
			})
		}
	}
	return rows
}

// TestPracticePage holds what the page says of invented figures.
func TestPracticePage(t *testing.T) {
	page, err := practicePage(nil, inventedPractice(map[string]float64{"loss: kl": -3, "augmentation: flip": 1.5, "optimizer: sgd": 0.01}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| loss | mse | kl | 27 | -3.00 (-3.00 to -3.00) | 0 | -3.00 | 1.00 | matters |",
		"| augmentation | none | flip | 27 | +1.50",
		"| loss | matters | matters | lp +0.00, kl -3.00 |", "| augmentation | robust | matters | flip +1.50",
		"| optimizer | matters | robust |",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
			break
		}
	}
	// Rows of one network alone decide by its pairs.
	rows := slices.DeleteFunc(inventedPractice(nil), func(r row) bool { return r.Network != resnet20 || r.Draw != "seed 0" })
	p := pairsOf(rows, axes[0], axes[0].values[0], "", practicePairs)
	if len(p.agreement) != len(practicePairs) {
		t.Errorf("%d pairs of one network and seed", len(p.agreement))
	}
}

// TestChoicesOfChoices: a choice of another one is compared with that one.
func TestChoicesOfChoices(t *testing.T) {
	for _, a := range axes {
		base := a.column(usually, practicePairs[0], 0)
		if a.with[0] == "" {
			if base.name != "usual" {
				t.Errorf("%s is compared with %s", a.name, base.name)
			}
			continue
		}
		if base.name != a.with[0]+": "+a.with[1] || base.recipe != (axis{name: a.with[0]}).column(choiceOf(a.with[0], a.with[1]), practicePairs[0], 0).recipe {
			t.Errorf("%s is compared with %s, %s", a.name, base.name, base.recipe)
		}
		if c := a.column(a.values[0], practicePairs[0], 0); !strings.HasPrefix(c.recipe, strings.TrimSuffix(base.recipe, ")")) || c.recipe == base.recipe {
			t.Errorf("%s of %s is %s", a.values[0].name, base.recipe, c.recipe)
		}
	}
}

// TestCombinations: all winners together change what each changes, and leaving one
// out leaves its change out.
func TestCombinations(t *testing.T) {
	all := joined("all", [][2]string{{"optimizer", "adamax"}, {"grid", "power"}, {"rate", "a third"}})
	recipe := all.recipe(pair{4, 8})
	for _, want := range []string{"optimizer=adamax", "base=powerquant", "rate=0.003", "w=4,a=8"} {
		if !strings.Contains(recipe, want) {
			t.Errorf("%s lacks %s", recipe, want)
		}
	}
	if rest := joined("rest", [][2]string{{"optimizer", "adamax"}}).recipe(pair{4, 8}); strings.Contains(rest, "base") || strings.Contains(rest, "rate") {
		t.Error(rest)
	}
}
