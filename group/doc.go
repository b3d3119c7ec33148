// Package group finds out which channels of a network belong together. Layers
// that feed one sum share their channels, a depthwise convolution has those of
// its operand, a concatenation lines them up: a channel can only be removed,
// merged or rescaled everywhere at once. Analyse labels every channel of every
// value with a unit and lists, per unit, the rows, parameters and columns of
// constants that go with it and what pins it. All methods that touch channels
// ask it; what it does not understand it pins, with the reason.
package group
