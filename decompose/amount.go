package decompose

import (
	"errors"
	"fmt"
)

// Amount says how much a decomposition takes away. At most one is given; without
// any, layers become as small as costs next to nothing.
type Amount struct {
	Rank   int     `json:"rank" doc:"rank of every layer, rounded up to a multiple of align; 0 to choose"`
	Energy float64 `json:"energy" doc:"share that every layer keeps of the energy of what it computes, below 1; 0 to choose otherwise"`
	Error  float64 `json:"error" doc:"relative error that every layer may have in what it computes, below 1; 0 to choose otherwise"`
	MACs   float64 `json:"macs" doc:"share of the multiply-accumulates to keep, above 0; never more. 1 asks for nothing"`
	Params float64 `json:"params" doc:"share of the parameters to keep, above 0; never more. 1 asks for nothing"`
}

// usual is the amount that asks for nothing.
var usual = Amount{MACs: 1, Params: 1}

// freeError is the relative error of a layer that next to no prediction feels.
const freeError = 0.05

// check reports the first problem with the amount.
func (a *Amount) check() error {
	given := 0
	for _, asked := range []bool{a.Rank != 0, a.Energy != 0, a.Error != 0, a.MACs != 1, a.Params != 1} {
		if asked {
			given++
		}
	}
	switch {
	case a.Rank < 0:
		return fmt.Errorf("rank=%d is negative", a.Rank)
	case !(a.Energy >= 0 && a.Energy < 1):
		return fmt.Errorf("energy=%v is not in 0 to 1, without 1", a.Energy)
	case !(a.Error >= 0 && a.Error < 1):
		return fmt.Errorf("error=%v is not in 0 to 1, without 1", a.Error)
	case !(a.MACs > 0 && a.MACs <= 1):
		return fmt.Errorf("macs=%v, the share to keep, is not above 0 and up to 1", a.MACs)
	case !(a.Params > 0 && a.Params <= 1):
		return fmt.Errorf("params=%v, the share to keep, is not above 0 and up to 1", a.Params)
	case given > 1:
		return errors.New("give one amount: rank, energy, error, macs or params")
	}
	return nil
}

// most is the share of the energy that every layer may lose, where there is no
// budget for the network.
func (a *Amount) most() float64 {
	switch {
	case a.Energy != 0:
		return 1 - a.Energy
	case a.Error != 0:
		return a.Error * a.Error
	}
	return freeError * freeError
}
