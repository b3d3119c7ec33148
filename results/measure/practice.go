package main

import (
	"fmt"
	"slices"
	"strings"
)

// practice varies one choice of the methods that learn at a time, on samples that
// are held out: no table of accuracy is measured on them. Their defaults follow
// from it.
var practice = set{
	name: "practice", golden: "results/practice.json", page: "results/practice.md",
	networks: practiceNetworks(), columns: practiceColumns(), render: practicePage,
}

// Samples that choices are judged on, and those that are learned from.
const (
	judgedCIFAR    = 2000
	judgedImageNet = 100
	learnedFrom    = 256
	learnedImages  = 150
)

// practiceNetworks are a residual, a depthwise and an attention network. CIFAR-10's
// second file of training images judges, the first one is learned from; of the
// ImageNet images that are there to calibrate with, which have no labels, the last
// ones judge.
func practiceNetworks() []network {
	var out []network
	for _, n := range networks {
		switch n.name {
		case resnet20, vit:
			n.data, n.samples = "cifar10/train_batch_2.bin", judgedCIFAR
		case mobile2:
			n.data, n.from, n.samples = "imagenet/calibration", learnedImages, judgedImageNet
		default:
			continue
		}
		out = append(out, n)
	}
	return out
}

// practicePairs are the widths, practiceSeeds how often each choice is tried.
var practicePairs = []pair{{4, 8}, {4, 4}, {3, 8}}

const practiceSeeds = 3

// usual is the method whose choices are varied, and how long it learns: the papers'
// choices, a fraction of their steps.
const (
	usualMethod = "qdrop"
	usualParams = "steps=100,samples=256"
)

// axis is one choice: values other than the usual one, which it names. Claimed is
// what the paper says of it: "matters", "robust" or "". With is the choice of another
// axis, by the axis' name and its own, that this one says something of; it is made of
// the usual one, too.
type axis struct {
	name, usual, claimed string
	values               []choice
	with                 [2]string
}

// choice is a value of an axis. Params are added to those of the method; base, where
// it is not "", replaces the method's own.
type choice struct {
	name, params, base string
	method             string // "" for the usual one
	sees               *sees  // nil for the usual samples
}

// usually is the choice of everything as usual.
var usually = choice{name: "usual"}

// recipe is the choice at a pair of widths.
func (c choice) recipe(p pair) string {
	params := p.args() + "," + usualParams
	if c.base != "" {
		params = "base=" + c.base + "," + params
	}
	for _, o := range strings.Split(c.params, ",") {
		params = override(params, o)
	}
	method := c.method
	if method == "" {
		method = usualMethod
	}
	return fmt.Sprintf("fold+%s(%s)", method, params)
}

// override puts a parameter in place of the one of its name, or behind all.
func override(params, one string) string {
	name, _, ok := strings.Cut(one, "=")
	if !ok {
		return params
	}
	list := strings.Split(params, ",")
	at := slices.IndexFunc(list, func(p string) bool { return strings.HasPrefix(p, name+"=") })
	if at < 0 {
		return params + "," + one
	}
	list[at] = one
	return strings.Join(list, ",")
}

// column is a choice of an axis at a pair of widths with one of the seeds.
func (a axis) column(c choice, p pair, seed int) column {
	if a.with[0] != "" {
		c.params = strings.TrimSuffix(choiceOf(a.with[0], a.with[1]).params+","+c.params, ",")
	}
	out := column{
		name: a.title(c), widths: p.String(), draw: fmt.Sprintf("seed %d", seed), recipe: c.recipe(p), seed: uint64(seed),
		only: practiceNames, sees: sees{samples: learnedFrom},
	}
	if c.sees != nil {
		out.sees = *c.sees
	}
	return out
}

// title names a choice among all.
func (a axis) title(c choice) string {
	switch {
	case c.name != usually.name:
		return a.name + ": " + c.name
	case a.with[0] != "":
		return a.with[0] + ": " + a.with[1]
	}
	return c.name
}

var practiceNames = []string{resnet20, vit, mobile2}

// practiceColumns are the usual choice, then all others, seed by seed, so that a part
// of them says something about all.
func practiceColumns() []column {
	var out []column
	for seed := range practiceSeeds {
		for _, p := range practicePairs {
			out = append(out, axis{}.column(usually, p, seed))
			for _, a := range slices.Concat(axes, combinations()) {
				for _, c := range a.values {
					out = append(out, a.column(c, p, seed))
				}
			}
		}
	}
	return out
}
