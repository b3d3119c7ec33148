package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"pare/internal/fault"
)

type node string

func (n node) String() string { return string(n) }

func TestDescribe(t *testing.T) {
	base := errors.New("no data")
	err := fault.Hint(fault.AtNode(node(`Conv "c"`), base), "fill %s first", "it")
	err = fmt.Errorf("fold: %w", err)
	err = fault.AtFile("m.onnx", err)
	if got, want := err.Error(), `m.onnx: fold: Conv "c": no data`; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	file, n, hint := fault.Describe(err)
	if file != "m.onnx" || n != `Conv "c"` || hint != "fill it first" {
		t.Errorf("described as %q %q %q", file, n, hint)
	}
	if !errors.Is(err, base) {
		t.Error("the cause is lost")
	}
	if fault.AtFile("x", nil) != nil || fault.Hint(nil, "x") != nil {
		t.Error("nil became an error")
	}
}
