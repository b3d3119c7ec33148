package demo

import (
	_ "embed" // the model
	"slices"
)

//go:embed demo.onnx
var model []byte

// Model is the trained network as an ONNX file: pictures as Prepare says, of
// shape [N, 3, Side, Side], to logits of shape [N, len(Classes)].
func Model() []byte { return slices.Clone(model) }

// Data is the first n held-out pictures, as records of the CIFAR-10 binary form.
func Data(n int) []byte { return Draw(Held, n) }
