// Package neon writes Go assembly for arm64. The assembler lacks many vector
// instructions, so all of them are written as WORDs, encoded here from their
// operands, with the instruction behind each as a comment.
package neon
