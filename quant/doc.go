// Package quant holds the quantisation methods, one per file: fold, which
// prepares for them, uniform and powerquant. Number formats are in format,
// statistics in calib; a method decides which format a layer gets and why.
package quant
