// Package guard makes slices for tests whose last or first element touches an
// unmapped page, so that a loop that reads or writes one byte too far faults
// at once.
package guard
