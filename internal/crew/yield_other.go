//go:build !linux

package crew

// yield does nothing where the system is not known to have it.
func yield() {}
