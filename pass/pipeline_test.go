package pass

import (
	"slices"
	"testing"
)

// TestOrder holds the check to refuse the pipeline backwards.
func TestOrder(t *testing.T) {
	if err := checkOrder(Pipeline); err != nil {
		t.Error(err)
	}
	list := slices.Clone(Pipeline)
	slices.Reverse(list)
	if checkOrder(list) == nil {
		t.Error("the reversed pipeline is accepted")
	}
	if checkOrder(Pipeline[:2]) == nil {
		t.Error("a pipeline without the passes that order names is accepted")
	}
}
