// Package train fits whole networks to data: the loop over samples, what is done to
// them on the way, the teacher, and the statistics of batch-norms.
package train
