// Package eval measures networks on data: accuracy with a confidence interval,
// likelihood of tokens, and how closely a changed network follows the original.
package eval
