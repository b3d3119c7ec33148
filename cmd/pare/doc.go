// Command pare compresses trained ONNX networks and runs them. Every verb has a
// file of its own, which parses, calls package pare and prints.
package main
