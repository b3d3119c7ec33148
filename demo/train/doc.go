// Train makes demo/demo.onnx, the network that pare ships: it draws pictures, writes a
// small convolutional network with random weights as a graph, fits it to the pictures
// by package train and writes it as ONNX.
//
//	go run ./demo/train
//
// The file's bytes depend on the seed and on the processor's vector instructions, not
// on the number of threads.
package main
