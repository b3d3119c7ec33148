package prune

import (
	"strings"
	"testing"

	"pare/compress"
)

func TestName(t *testing.T) {
	for in, want := range map[string]string{
		"fold+red+++powerquant(w=4)":   "fold+red+++powerquant",
		"red++":                        "red++",
		"red++(alpha=0.1,form=split)":  "red++(alpha=0.1,form=split)",
		"fold+uniform(w=4)+red++":      "fold+uniform(w=4)+red++",
		"red+red+++red++(form=dense)":  "red+red+++red++(form=dense)",
		"fold+red++ + rex(budget=1.5)": "",
	} {
		r, err := compress.Parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := r.String(); want != "" && got != want {
			t.Errorf("%s is spelled %s, want %s", in, got, want)
		}
		if again, err := compress.Parse(r.String()); err != nil || again.String() != r.String() {
			t.Errorf("%s does not survive: %v", r, err)
		}
	}
	if _, err := compress.Parse("fold+red++powerquant"); err == nil || !strings.Contains(err.Error(), "character 11") {
		t.Errorf("%v", err)
	}
}
