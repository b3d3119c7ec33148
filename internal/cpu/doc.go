// Package cpu says which instruction set extensions kernels may use: those of
// the machine, capped by the environment variable PARE_CPU (generic, avx2 or
// avx512; on arm64 generic, neon or neon-dot), which is read once.
package cpu
