// Package pass rewrites graphs without changing what they compute: Simplify
// dissolves what exporters leave behind, AbsorbBiases and FoldBatchNorms merge
// per-channel arithmetic into the layers around it.
//
// A rewrite is a named ir.Patch; passes and the constraints on their order are
// data (Pipeline). Only the model's own graph is edited: sub-graphs and the
// bodies of model-local functions stay as they are, and what they capture stays
// available.
package pass
