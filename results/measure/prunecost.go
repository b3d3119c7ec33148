package main

import (
	"context"

	"pare"
)

// costs are what a network costs, bytes aside; operations are those of one
// sample.
type costs struct {
	Params int64 `json:"params"`
	MACs   int64 `json:"macs"`
	// Multiplications counts each distinct product once; Additions are those that
	// are left beside them.
	Multiplications int64 `json:"multiplications"`
	Additions       int64 `json:"additions"`
}

func countCosts(ctx context.Context, m *pare.Model) (*costs, error) {
	info, err := m.Info(ctx)
	if err != nil {
		return nil, err
	}
	return &costs{Params: int64(info.Params), MACs: info.MACs, Multiplications: info.MACs, Additions: info.MACs}, nil
}
