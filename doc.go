// Package pare compresses trained ONNX networks after training and runs them
// on CPUs. It is what programs import; the command pare is a thin layer above
// it.
//
//	m, err := pare.Load("resnet50.onnx")
//	...
//	defer m.Close()
//	report, err := m.Compress(ctx, "fold+uniform(w=8)", pare.Options{})
//	...
//	_, err = m.Save("small.onnx", pare.SaveOptions{})
//
// A Model is read by Load, changed by Compress, looked into by Inspect,
// measured by Evaluate, Bench and Compare, run through NewSession and written
// by Save. Errors name the file and the node at fault and often carry a hint.
package pare
