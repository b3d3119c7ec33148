// Package compresstest holds every registered method to the same contract: its
// defaults validate, its configuration survives JSON, its recipe is spelled
// canonically, the graph stays valid, the same seed gives the same bytes on any
// number of threads, and the result computes what its decoded weights say.
package compresstest
