package main

import (
	"pare"
	"pare/cost"
)

// costs are what a network costs, bytes aside; operations are those of one
// sample.
type costs struct {
	Params int64 `json:"params"`
	MACs   int64 `json:"macs"`
	// Multiplications counts each distinct product of a layer once; Additions are
	// those by weights other than 0.
	Multiplications int64 `json:"multiplications"`
	Additions       int64 `json:"additions"`
}

func countCosts(m *pare.Model) *costs {
	c := cost.Of(m.IR())
	return &costs{int64(c.Params), c.MACs, c.Multiplications, c.Additions}
}
