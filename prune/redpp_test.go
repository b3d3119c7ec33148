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
	for in, want := range map[string]string{"fold+red++powerquant": "character 11", "fold+red++(alpha=0.1,macs=0.8)": "alpha=0.1 and macs=0.8"} {
		if _, err := compress.Parse(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
}

// The report tells what hashing, merging and splitting did, each by itself.
func TestPhases(t *testing.T) {
	rep := recipe(t, twins(2), "red++(form=split)")
	s := rep.Steps[0]
	if len(s.Phases) != 2 || s.Phases[0].What != "hash" || s.Phases[1].What != "merge what is alike" {
		t.Fatalf("phases %+v", s.Phases)
	}
	hash, merge := s.Phases[0].After, s.Phases[1].After
	if hash.Params != s.Before.Params || hash.Multiplications >= s.Before.Multiplications {
		t.Errorf("hashing: %+v, then %+v", s.Before, hash)
	}
	if merge.Params >= hash.Params*2/3 || merge.MACs >= hash.MACs || s.After.Params == merge.Params {
		t.Errorf("merging: %+v, then %+v, then %+v", hash, merge, s.After)
	}
}
