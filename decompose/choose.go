package decompose

import (
	"cmp"
	"fmt"
	"slices"

	"pare/cost"
	"pare/internal/fault"
	"pare/ir"
	"pare/op"
)

// choose picks an option for every layer.
func (q *Settings) choose(m *ir.Model, list []*choice) error {
	switch {
	case q.MACs != 1:
		if open := cost.Open(m); open > 0 {
			err := fmt.Errorf("the multiply-accumulates are not known, as the sizes of %d layers are left open", open)
			return fault.Hint(err, "ask for params= or error= instead")
		}
		return budget(list, macsOf, q.MACs, macsOfModel(m), "multiply-accumulates")
	case q.Params != 1:
		params, _ := cost.Stored(m)
		return budget(list, paramsOf, q.Params, int64(params), "parameters")
	}
	for _, c := range list {
		if q.Rank != 0 {
			c.ofRank(roundUp(q.Rank, q.Align))
		} else {
			c.within(q.most(), q.Pays == "time")
		}
	}
	return nil
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// macsOfModel counts a network.
func macsOfModel(m *ir.Model) (sum int64) {
	for _, n := range m.Graph.Nodes {
		if macs, ok := op.MACs(n); ok {
			sum += macs
		}
	}
	return sum
}

// ofRank picks what loses least at a rank.
func (c *choice) ofRank(rank int) {
	best := 0
	for i, o := range c.options {
		if o.rank == rank && (best == 0 || o.lost < c.options[best].lost) {
			best = i
		}
	}
	if c.chosen = best; best == 0 && c.why == "" {
		c.why = fmt.Sprintf("rank %d saves nothing", rank)
	}
}

// within picks the cheapest that loses at most so much: of the least time where that
// is to be saved, else of the fewest multiply-accumulates.
func (c *choice) within(most float64, time bool) {
	least := -1.0
	for i, o := range c.options[1:] {
		if least < 0 || o.lost < least {
			least = o.lost
		}
		now := c.options[c.chosen]
		better := cmp.Or(cmp.Compare(o.macs, now.macs), cmp.Compare(o.lost, now.lost))
		if time {
			better = cmp.Or(cmp.Compare(o.time, now.time), better)
		}
		if o.lost <= most && better < 0 {
			c.chosen = i + 1
		}
	}
	if c.chosen == 0 && c.why == "" {
		c.why = fmt.Sprintf("what is cheaper has an error of %.3g or more", rootOf(least))
	}
}

// step is a move from one option of a layer to the next cheaper one.
type step struct {
	choice   *choice
	from, to *option
	slope    float64
}

// budget makes the network cost at most a share of what it costs: the steps that
// lose least for what they save come first. It reports a share that cannot be
// reached.
func budget(list []*choice, by price, keep float64, total int64, what string) error {
	allowed := int64(keep * float64(total))
	over := total - allowed
	var steps []step
	for _, c := range list {
		h := hull(c.options, by)
		for i := range h[1:] {
			steps = append(steps, step{c, &h[i], &h[i+1], slope(&h[i], &h[i+1], by)})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.slope, b.slope) })
	for _, s := range steps {
		if over <= 0 {
			break
		}
		s.choice.set(s.to)
		over -= by(s.from) - by(s.to)
	}
	if over > 0 || total == 0 {
		return unreachable(list, keep, float64(allowed+over)/float64(max(1, total)), what)
	}
	for _, c := range list {
		if c.chosen == 0 && c.why == "" {
			c.why = "others lose less for what they save"
		}
	}
	return nil
}

// unreachable says how far the layers can shrink the network instead.
func unreachable(list []*choice, keep, least float64, what string) error {
	if !slices.ContainsFunc(list, func(c *choice) bool { return len(c.options) > 1 }) {
		err := fmt.Errorf("a share %v of the %s cannot be reached: it makes no layer smaller", keep, what)
		return fault.Hint(err, "without an amount the report says of each layer why")
	}
	err := fmt.Errorf("a share %v of the %s cannot be reached: at least %.4g of them stay", keep, what, least)
	return fault.Hint(err, "ask for less, or allow smaller ranks with align= and pays=macs")
}

func (c *choice) set(o *option) {
	c.chosen = slices.IndexFunc(c.options, func(x option) bool { return x.name == o.name })
}
