// Package grad differentiates networks: New lowers a model to steps that compute it
// forward and, from the gradients of its outputs, those of constants and inputs
// backward. An operator is one row of the table rules; what has no row runs by the
// reference of package op, and gradients that would have to pass it are an error
// that names the node.
//
// A row's lower function asks its builder for operands in a layout (in), makes the
// results (out) and one step or more. Forward work fills the data of results; backward work
// sets (never adds to) dx[i] for the operands for which wants(i), from the grad of
// the results, and names what else it reads by uses. Sums over several
// readers are made around the steps. Slices of slots, buffers and dx are bound
// before work runs and must be read then, not while a step is built. Work is cut
// into tasks by shape alone; loops that sum over tasks add partial sums in a fixed
// order.
package grad
