//go:build !linux

package engine

// yield does nothing where the system is not known to have it.
func yield() {}
