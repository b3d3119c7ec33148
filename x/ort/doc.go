// Package ort drives ONNX Runtime: the judge of the files that pare writes and
// the engine that pare's speed is compared with. It is a module of its own
// because it needs cgo and a shared library, which PARE_ORT_LIB names.
package ort
