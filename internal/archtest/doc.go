// Package archtest keeps the layers of the module apart: its test holds the
// table of which package may import which.
package archtest
