// Package cost counts what a network costs: parameters, bytes, multiply-
// accumulates, and the multiplications and additions that are left when each
// distinct product is computed once (RED++, arXiv:2110.01397).
//
// A layer multiplies every number that it reads by weights of one input channel.
// Weights of the same magnitude give the same product up to its sign, so that
// one multiplication serves all of them, whichever output or tap they belong to;
// scales that stand outside of integer codes do not matter. Like multiply-
// accumulates, these counts ignore that padding leaves some products out.
package cost
