// Package compress runs recipes of compression methods on models.
//
// A Method is a struct whose exported fields are its parameters; packages
// register theirs under a name. A Recipe is a chain of methods with one
// canonical spelling, such as "fold+uniform(w=4)", which is the command-line
// form, the key of result tables and the provenance in the written file. Methods are
// of kinds, and rules on kinds say which step must not stand behind which. Run
// applies a recipe step by step, checks the graph after every step, measures
// what it did and returns a Report.
package compress
