//go:build !race

package pare_test

const raced = false
