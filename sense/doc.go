// Package sense says which layers of a network lose how much when they are
// compressed: by trying, and by estimates from gradients.
package sense
