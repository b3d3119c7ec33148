package main

import (
	"fmt"
	"slices"
	"strings"
)

// peerTime is the cost of compressing one network, from runs in turns with the
// other tools.
type peerTime struct {
	Network string    `json:"network"`
	Name    string    `json:"name"`
	Data    string    `json:"data"`
	Tool    string    `json:"tool"`
	Seconds []float64 `json:"seconds"`     // of the process, run by run
	CPU     []float64 `json:"cpu_seconds"` // run by run
	Peak    int64     `json:"peak_bytes"`
	Bytes   int64     `json:"bytes"`
}

// writeTimes has one line per tool; ratios are medians over turns against the
// first tool.
func (p peers) writeTimes(b *strings.Builder) {
	network := ""
	var base peerTime
	for _, t := range p.Times {
		if t.Network != network {
			network, base = t.Network, t
			fmt.Fprintf(b, "\n%s with random weights, %d runs of each in turns: medians of whole processes on two cores that other work shared.\n\n", t.Network, len(t.Seconds))
			b.WriteString("| tool | needs | seconds | times pare's | processor seconds | times pare's | peak memory | file |\n" +
				"| --- | --- | --- | --- | --- | --- | --- | --- |\n")
		}
		fmt.Fprintf(b, "| %s, `%s` | %s | %.1f | %.1f | %.1f | %.1f | %.0f MB | %.1f MB |\n", t.Tool, t.Name, t.Data,
			median(t.Seconds), median(quotients(t.Seconds, base.Seconds)), median(t.CPU), median(quotients(t.CPU, base.CPU)),
			float64(t.Peak)/1e6, float64(t.Bytes)/1e6)
	}
}

func quotients(a, b []float64) []float64 {
	out := make([]float64, min(len(a), len(b)))
	for i := range out {
		out[i] = a[i] / b[i]
	}
	return out
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	if n == 0 {
		return 0
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}
