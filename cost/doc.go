// Package cost counts what a network costs: parameters, bytes, multiply-
// accumulates, and the multiplications and additions that are left when each
// distinct product is computed once.
package cost
