package main

import (
	"pare"
	"pare/cost"
)

// costs are what a network costs; operations are those of one sample.
type costs struct {
	Params int64 `json:"params"`
	Bytes  int64 `json:"constant_bytes"` // of constants as stored; those of the file hold its recipe, too
	MACs   int64 `json:"macs"`
	// Multiplications counts each distinct product of a layer once; Additions are
	// those by weights other than 0.
	Multiplications int64 `json:"multiplications"`
	Additions       int64 `json:"additions"`
}

func countCosts(m *pare.Model) *costs {
	c := cost.Of(m.IR())
	return &costs{int64(c.Params), c.Bytes, c.MACs, c.Multiplications, c.Additions}
}
