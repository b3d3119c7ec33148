// Command asm rewrites the generated assembly of package kernel. The
// directory is a module of its own, so that the generator (avo) never becomes
// a dependency of the core; every family of kernels is one program below it,
// and vec writes what they share for AVX2 and AVX-512 at once. What is written for
// arm64 is one program, arm64, with a file for each family; neon encodes its
// instructions, most of which Go's assembler does not know. Its routines find fields of
// structs by the names that the compiler gives the assembler.
//
//	go generate ./kernel             # rewrites kernel/*_amd64.s, kernel/*_arm64.s and their declarations
//	go -C kernel/_asm run . -check     # fails where a committed file differs
//
// To add a family, write _asm/<family>/main.go, add it to families here and
// its rows to kernel/<family>_rows_amd64.go; the tests and benchmarks of the
// table then run them. For arm64, write arm64/<family>.go, add it to families
// there, and move the family from kernel/noarch.go to kernel/nosimd.go. A routine's name ends with its instruction set, and
// TestAssemblyFeatures holds it to that.
package main
