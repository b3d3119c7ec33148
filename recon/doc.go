// Package recon fits parts of quantised networks to what the same parts of the
// original compute: it cuts networks into units, keeps what goes into them and should
// come out, and learns roundings, scales and exponents by gradients.
package recon
