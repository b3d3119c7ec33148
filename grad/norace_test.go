//go:build !race

package grad_test

const raced = false
