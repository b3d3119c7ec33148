package quant

import (
	"cmp"
	"slices"

	"pare/compress"
)

// share chooses the rows of every layer that get a term of the given order.
func (x *expansion) share(order int) [][]int {
	out := make([][]int, len(x.layers))
	if x.Budget == 0 {
		for i, e := range x.layers {
			out[i] = all(e)
		}
		return out
	}
	costs := make([]float64, len(x.layers)) // of a whole order of every layer
	budget := 0.0
	for i, e := range x.layers {
		costs[i] = float64(e.rows()) * x.rowCost(e)
		budget += x.firstCost(e)
	}
	budget *= (x.Budget - 1) / float64(x.Order-1)
	if x.Spread == "sensitivity" {
		return x.bySensitivity(budget)
	}
	// Rows of depthwise layers are tiny: they get all of them, as far as it goes.
	fractions := make([]float64, len(x.layers))
	for i, e := range x.layers {
		if e.fixed != "" {
			costs[i] = 0
			continue
		}
		budget -= x.termCost(e)
		if e.layer.Kind == compress.Depthwise && costs[i] <= budget {
			budget -= costs[i]
			fractions[i], costs[i] = 1, 0
		}
	}
	x.spread(fractions, costs, budget)
	for i, e := range x.layers {
		if e.fixed == "" {
			out[i] = largest(e.norms(e.rest()), int(fractions[i]*float64(e.rows())+1e-9))
		}
	}
	return out
}

// all rows of a layer, none where it is not expanded.
func all(e *expanded) []int {
	if e.fixed != "" {
		return nil
	}
	return largest(make([]float64, e.rows()), e.rows())
}

// firstCost is what the first order of a layer costs, rowCost what a row of a
// further one does.
func (x *expansion) firstCost(e *expanded) float64 {
	if x.Count == "bytes" {
		return float64(e.firstTerm().Bytes())
	}
	return e.firstOps()
}

func (x *expansion) rowCost(e *expanded) float64 {
	b := x.bits(e.spec.Bits)
	if x.Count == "bytes" {
		stored := 2 // bits of a packed code
		switch {
		case b > 4 || e.spec.Wide:
			stored = 8
		case b > 2:
			stored = 4
		}
		return float64(len(e.values)*stored) / float64(8*e.rows())
	}
	return e.macs * float64(b)
}

// termCost is what a further order of a layer costs besides its rows: scales and
// places are stored for all rows.
func (x *expansion) termCost(e *expanded) float64 {
	if x.Count == "bytes" {
		return float64(5*e.rows() + 4)
	}
	return 0
}

// spread sets the fraction of rows of the layers with a cost, constant or growing
// with depth, so that together they cost the budget.
func (x *expansion) spread(fractions, costs []float64, budget float64) {
	at := func(factor float64, i int) float64 {
		if x.Spread == "linear" {
			factor *= float64(i+1) / float64(len(costs))
		}
		return min(1, factor)
	}
	spent := func(factor float64) (sum float64) {
		for i, c := range costs {
			sum += c * at(factor, i)
		}
		return sum
	}
	lo, hi := 0.0, float64(len(costs))
	for range 60 {
		if mid := (lo + hi) / 2; spent(mid) <= budget {
			lo = mid
		} else {
			hi = mid
		}
	}
	for i, c := range costs {
		if c > 0 {
			fractions[i] = at(lo, i)
		}
	}
}

// largest lists the n indices with the largest numbers, ascending; of equal ones
// the first.
func largest(x []float64, n int) []int {
	at := make([]int, len(x))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(x[b], x[a]) })
	at = at[:min(max(n, 0), len(at))]
	slices.Sort(at)
	return at
}

// bySensitivity buys rows in the order of what the network gains for their cost:
// the noise that they take from their layer's results, relative to those.
// Depthwise layers are bought whole.
func (x *expansion) bySensitivity(budget float64) [][]int {
	type purchase struct {
		layer, row int // row -1 for the layer
		gain, cost float64
	}
	var offers []purchase
	for i, e := range x.layers {
		if e.fixed != "" {
			continue
		}
		energy, cost := total(e.norms(e.values)), x.rowCost(e)
		norms := e.norms(e.rest())
		if energy == 0 {
			continue
		}
		if e.layer.Kind == compress.Depthwise {
			cost *= float64(e.rows())
			offers = append(offers, purchase{i, -1, total(norms) / energy / cost, cost})
			continue
		}
		for row, n := range norms {
			offers = append(offers, purchase{i, row, n / energy / cost, cost})
		}
	}
	slices.SortStableFunc(offers, func(a, b purchase) int { return cmp.Compare(b.gain, a.gain) })
	out := make([][]int, len(x.layers))
	for _, o := range offers {
		if out[o.layer] == nil {
			o.cost += x.termCost(x.layers[o.layer])
		}
		if o.gain == 0 || o.cost > budget {
			continue
		}
		budget -= o.cost
		if o.row < 0 {
			out[o.layer] = all(x.layers[o.layer])
		} else {
			out[o.layer] = append(out[o.layer], o.row)
		}
	}
	for _, rows := range out {
		slices.Sort(rows)
	}
	return out
}

func total(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}
