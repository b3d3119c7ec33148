// Package journal keeps results of long work in a folder, so that work which was
// interrupted goes on where it was. Every entry is a file that appears whole or not
// at all and says of which work it is.
package journal
