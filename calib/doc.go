// Package calib finds the statistics of activations that methods ask for: mean,
// standard deviation and range per channel. Collect measures them in one pass
// over data; Propagate derives them from the network alone, starting from the
// batch-norms and the declared input, and says where it cannot.
package calib
