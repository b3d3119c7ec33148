package main

import (
	"fmt"
	"slices"
)

// table is one of the page: a line per network, a column per competitor.
type table struct {
	title   string
	columns func(c column) bool
	value   func(p *printer, x cell, r *row) string
	// only says in which settings it stands, nil for all.
	only func(x cell) bool
}

func alone(x cell) bool { return x.threads == 1 && x.batch == 1 }

func anyColumn(column) bool   { return true }
func ownColumn(c column) bool { return !c.peer() }

func coded(c column) bool { return ownColumn(c) && c.name != "float" }

var tables = []table{
	{title: "Against the better peer: float against its float, the others against its int8", columns: ownColumn, value: againstPeer},
	{title: "Against pare's own float", columns: coded, value: against(ownFloat)},
	{title: "Against pare's W8A8", columns: func(c column) bool { return coded(c) && c.name != "w8a8" }, value: against(ownInt), only: alone},
	{title: "Milliseconds", columns: anyColumn, value: milliseconds},
	{title: "Share of the peak of multiply-adds, by the operations of the definition (Winograd's form needs fewer)", columns: anyColumn, value: share, only: alone},
	{title: "One thread's time over that of two", columns: anyColumn, value: speedup, only: func(x cell) bool { return x.threads == 2 }},
	{title: "Most memory of the process, MB, and what of it came with the network", columns: anyColumn, value: memory, only: alone},
	{title: "To load the network and to run it once, milliseconds", columns: anyColumn, value: first, only: alone},
}

func findColumn(name string) column {
	return columns[slices.IndexFunc(columns, func(c column) bool { return c.name == name })]
}

func againstPeer(p *printer, x cell, r *row) string {
	if findColumn(r.Column).ints {
		return against(peerInt)(p, x, r)
	}
	return against(peerFloat)(p, x, r)
}

// against shows the ratio to one of those that rows are compared with.
func against(key string) func(*printer, cell, *row) string {
	return func(_ *printer, _ cell, r *row) string {
		q, ok := r.Ratios[key]
		if !ok {
			return "-"
		}
		return fmt.Sprintf("**%.2f** (%.2f to %.2f)", q.Median, q.Interval[0], q.Interval[1])
	}
}

func milliseconds(_ *printer, _ cell, r *row) string {
	if r.MS >= 100 {
		return fmt.Sprintf("%.0f", r.MS)
	}
	return fmt.Sprintf("%.3g", r.MS)
}

func share(_ *printer, _ cell, r *row) string { return fmt.Sprintf("%.0f %%", 100*r.Share) }

func speedup(p *printer, x cell, r *row) string {
	x.threads = 1
	one := p.results.find(x, r.Column)
	if one == nil || one.Error != "" {
		return "-"
	}
	return fmt.Sprintf("%.2f", one.MS/r.MS)
}

func memory(_ *printer, _ cell, r *row) string {
	return fmt.Sprintf("%.0f (%.0f)", float64(r.PeakBytes)/1e6, float64(r.PeakBytes-r.StartBytes)/1e6)
}

func first(_ *printer, _ cell, r *row) string { return fmt.Sprintf("%.0f", r.FirstMS) }
