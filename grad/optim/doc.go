// Package optim holds the optimisers and schedules of training.
package optim
