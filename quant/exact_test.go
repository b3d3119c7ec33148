package quant

import (
	"math"
	"math/rand/v2"
	"testing"

	"pare/ir"
)

// TestAllocateExact compares with trying everything.
func TestAllocateExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 300 {
		var choices []*choice
		for range 1 + r.IntN(5) {
			c := &choice{nodes: []*ir.Node{{}}, size: float64(16 * (1 + r.IntN(40)))}
			for _, bits := range []int{2, 4, 6, 8}[:1+r.IntN(4)] {
				o := offer{bits: bits, noise: r.ExpFloat64()}
				if trial%3 == 2 {
					o.cost = float64(3 + r.IntN(9)) // wider need not cost more
				}
				c.offers = append(c.offers, o)
			}
			choices = append(choices, c)
		}
		budget := 0.0
		for _, c := range choices {
			budget += math.Floor(c.cost(len(c.offers)-1) * (0.4 + 0.6*r.Float64()))
		}
		best, cheapest := everything(choices, budget)
		got, ok := allocateExact(choices, budget)
		loss, cost := 0.0, 0.0
		for _, c := range choices {
			for k, o := range c.offers {
				if o.bits == got[c.nodes[0]] {
					loss, cost = loss+o.noise, cost+c.cost(k)
				}
			}
		}
		switch {
		case ok != (cheapest <= budget):
			t.Fatalf("trial %d: ok is %v, the cheapest choice costs %v of %v", trial, ok, cheapest, budget)
		case !ok && cost != cheapest:
			t.Errorf("trial %d: the choice costs %v, the cheapest %v", trial, cost, cheapest)
		case ok && (cost > budget || math.Abs(loss-best) > 1e-9):
			t.Errorf("trial %d: loss %v for %v of %v, best is %v", trial, loss, cost, budget, best)
		}
	}
}

// everything is the least loss within the budget, and the least cost.
func everything(choices []*choice, budget float64) (best, cheapest float64) {
	best, cheapest = math.Inf(1), math.Inf(1)
	var try func(i int, loss, cost float64)
	try = func(i int, loss, cost float64) {
		if i == len(choices) {
			cheapest = min(cheapest, cost)
			if cost <= budget {
				best = min(best, loss)
			}
			return
		}
		for k, o := range choices[i].offers {
			try(i+1, loss+o.noise, cost+choices[i].cost(k))
		}
	}
	try(0, 0, 0)
	return best, cheapest
}

// TestAllocateRounded: costs that are no multiples of anything never pass the budget.
func TestAllocateRounded(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2))
	for range 50 {
		var choices []*choice
		budget := 0.0
		for range 20 {
			c := &choice{nodes: []*ir.Node{{}}}
			for i, bits := range []int{2, 4, 8} {
				c.offers = append(c.offers, offer{bits: bits, noise: math.Pow(4, -float64(bits)) * r.Float64(), cost: (1 + float64(i)) * (0.1 + r.Float64())})
			}
			choices, budget = append(choices, c), budget+2*c.offers[0].cost
		}
		got, ok := allocateExact(choices, budget)
		cost := 0.0
		for _, c := range choices {
			for k, o := range c.offers {
				if o.bits == got[c.nodes[0]] {
					cost += c.cost(k)
				}
			}
		}
		if !ok || cost > budget || cost < 0.9*budget {
			t.Errorf("%v of %v is spent, %v", cost, budget, ok)
		}
	}
}
