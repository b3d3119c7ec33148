// Package demo holds the network that pare ships and the images that it
// classifies. The images are drawn by Draw, from a seed and with integer
// arithmetic only, so that every machine draws the same; the network was fitted
// to other images of the same kind by the program in demo/train.
package demo
