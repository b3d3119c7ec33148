// Package prune removes channels and weights of trained networks without data:
// those that repeat others, and those that matter least.
package prune
