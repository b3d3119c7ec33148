//go:build !unix

package guard

import "testing"

// Tail returns a zeroed slice of n elements; pages are not fenced here.
func Tail[T any](t testing.TB, n int) []T { return make([]T, n) }

// Head returns a zeroed slice of n elements; pages are not fenced here.
func Head[T any](t testing.TB, n int) []T { return make([]T, n) }
