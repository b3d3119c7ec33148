// Package ir is the graph in which a network is compressed: nodes in
// topological order, values with one producer, constants on values, symbolic
// dimensions. It knows neither the ONNX file format nor any arithmetic.
//
// Graphs are edited through a Patch, which applies as a whole or leaves the
// graph as it was. Node.In, Node.Out and the slices of Graph are read-only for
// everyone else; Check finds who broke the rule.
package ir
