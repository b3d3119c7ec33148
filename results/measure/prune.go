package main

import (
	"fmt"
	"slices"
	"strings"
)

// pruning measures what removing channels, weights and ranks costs and gives:
// every method at several amounts.
var pruning = set{
	name: "prune", golden: "results/prune.json", page: "results/prune.md",
	networks: prunedNetworks(), columns: pruneColumns(), render: prunePage, pictures: prunePictures,
}

// Samples of the curves: the larger networks take fewer, so that all points are
// measured in less than half an hour.
const (
	resnet20Samples = 3000
	resnet56Samples = 1500
	mobileSamples   = 300
)

// prunedNetworks are the residual and the depthwise ones, then networks of which
// the time of the analysis is measured.
func prunedNetworks() []network {
	samples := map[string]int{resnet20: resnet20Samples, resnet56: resnet56Samples, mobile1: mobileSamples, mobile2: mobileSamples}
	var out []network
	for _, n := range networks {
		if n.samples = samples[n.name]; n.samples > 0 {
			out = append(out, n)
		}
	}
	return append(out, large...)
}

// large are networks of which only the time of compressing is measured.
var large = []network{{name: "ResNet-50", fill: "resnet50"}, {name: "DenseNet-121", fill: "densenet121"}}

// whole is the network itself, whose costs those of points are compared with.
var whole = column{name: "none", point: "all", recipe: "fold"}

// amounts are the points of a curve: networks of depthwise layers bear less.
type amounts struct{ residual, depthwise []string }

// of are the amounts for a network.
func (a amounts) of(network string) []string {
	if network == mobile1 || network == mobile2 {
		return a.depthwise
	}
	return a.residual
}

// curve is a method at several amounts: a line of the pictures.
type curve struct {
	name   string
	recipe string // with AMOUNT in place of the amount; what stands before a bar is shared with other curves
	points amounts
	seeds  int      // 0 for methods that draw nothing
	only   []string // networks, nil for all
}

// at are the amounts for a network.
func (c curve) at(network string) []string {
	if c.only != nil && !slices.Contains(c.only, network) {
		return nil
	}
	return c.points.of(network)
}

// family is curves that are drawn together.
type family struct {
	title  string
	about  string
	curves []curve
	views  []view // its panels
}

// column is a curve at one amount; seeds count from 0.
func (c curve) column(point string, seed int) column {
	recipe := strings.ReplaceAll(c.recipe, "AMOUNT", point)
	out := column{name: c.name, point: point, recipe: strings.ReplaceAll(recipe, "|", "+"), seed: uint64(seed), only: []string{}}
	if shared, _, ok := strings.Cut(recipe, "|"); ok {
		out.shared = shared
	}
	if c.seeds > 0 {
		out.point = fmt.Sprintf("%s seed %d", point, seed)
	}
	for _, n := range prunedNetworks() {
		if n.fill == "" && slices.Contains(c.at(n.name), point) {
			out.only = append(out.only, n.name)
		}
	}
	return out
}

// columns are those of a curve on all networks, in the order of its amounts.
func (c curve) columns() []column {
	var out []column
	for _, p := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.points.residual, c.points.depthwise)))) {
		for s := range max(1, c.seeds) {
			if x := c.column(p, s); len(x.only) > 0 {
				out = append(out, x)
			}
		}
	}
	slices.Reverse(out)
	return out
}

func pruneColumns() []column {
	out := []column{whole}
	for _, f := range families {
		for _, c := range f.curves {
			out = append(out, c.columns()...)
		}
	}
	return append(out, analysis)
}

// analysis is the whole of the analysis of large networks.
var analysis = column{name: "analysis", point: "analysis", recipe: "fold+red++", only: names(large)}

func names(networks []network) []string {
	var out []string
	for _, n := range networks {
		out = append(out, n.name)
	}
	return out
}
