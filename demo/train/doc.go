// Train makes demo/demo.onnx, the network that pare ships: it draws pictures,
// fits a small convolutional network to them and writes it as ONNX.
//
//	go run ./demo/train
//
// The layers are written for this one architecture: images in NCHW order,
// float32, every gradient by hand. Sums run over a fixed number of shards of a
// batch, so that the file's bytes depend on the seed and not on the threads.
package main
