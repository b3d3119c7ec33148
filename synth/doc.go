// Package synth makes pictures out of what batch-norms remember of those that a
// network was trained on.
package synth
