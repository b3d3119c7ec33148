package cpu

import "testing"

func TestCapOnlyLowers(t *testing.T) {
	before := Have()
	for _, l := range levels {
		restore, full := Cap(l.name)
		if got := Have(); got != before&l.has {
			t.Errorf("%s: features %v, want %v", l.name, got, before&l.has)
		}
		if full && Level() != l.name {
			t.Errorf("%s: level reads %s", l.name, Level())
		}
		restore()
	}
	if Have() != before {
		t.Errorf("restored to %v, want %v", Have(), before)
	}
}

func TestUnknownLevel(t *testing.T) {
	if _, err := allowed("sse9"); err == nil {
		t.Error("an unknown level is accepted")
	}
}
