package engine

import "fmt"

// indexError is what a step panics with where an index known only at run time
// lies outside.
type indexError struct{ at, size int }

func (e indexError) Error() string {
	return fmt.Sprintf("index %d is outside an axis of %d elements", e.at, e.size)
}
