// Package grad differentiates networks: New lowers a model to steps that compute it
// forward and, from the gradients of its outputs, those of constants and inputs
// backward. An operator is one row of a table; what has no row runs by the reference
// of package op and stops gradients with an error that names the node.
package grad
