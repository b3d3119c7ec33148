// Package dataset reads samples with labels from files, named by
// specifications such as "cifar10:test.bin" or "images:val?crop=224&mean=0.5".
//
// Every kind of data is one file with one row in kinds. Samples are prepared
// (resized, cropped, normalised) when they are asked for, so that a set of any
// size needs the memory of one batch.
package dataset
