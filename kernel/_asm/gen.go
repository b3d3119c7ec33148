// Command asm is the root of the assembly generators, one program per family
// of kernels. "go generate" in this directory rewrites the committed files.
package main

//go:generate go run ./tile -out ../tile_amd64.s -stubs ../tile_amd64.go -pkg kernel
//go:generate go run ./peak -out ../peak_amd64.s -stubs ../peak_amd64.go -pkg kernel

func main() {}
