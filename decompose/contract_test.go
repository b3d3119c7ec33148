package decompose_test

import (
	"testing"

	"pare/compress/compresstest"
)

func TestContract(t *testing.T) {
	compresstest.RunAll(t, "split(form=split)", "split(form=split);down:skip")
}
