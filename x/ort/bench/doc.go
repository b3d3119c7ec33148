// Bench times pare's engine against ONNX Runtime, its graph optimisations on, in
// interleaved pairs of runs on the networks of the speed/ assets.
//
//	PARE_ORT_LIB=... go run ./bench -dir FOLDER
//
// The assets hold graphs without weights, which are drawn into the folder.
// A ratio is ONNX Runtime's time over pare's: above 1 pare is faster.
package main
