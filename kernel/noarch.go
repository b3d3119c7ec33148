//go:build !amd64 || noasm

package kernel

// Families that only amd64 has assembly for: elsewhere tables hold their portable
// rows alone.
var ()
