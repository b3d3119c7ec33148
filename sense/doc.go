// Package sense says which layers of a network lose how much when they are
// quantised alone: by trying, and by estimates from gradients, which it compares.
package sense
