package main

import (
	"slices"
	"strings"
)

// What a paper says of an axis.
const (
	matters   = "matters"
	robust    = "robust"
	undecided = "undecided"
)

// axes are the choices of methods that learn, each with what [yvinec23] Challenging
// the Status Quo on Gradient-Based Post-Training Quantization, arXiv:2308.07662,
// says of it.
var axes = []axis{
	{name: "unit", usual: "block", claimed: matters, values: choices("unit", "layer", "network")},
	{name: "loss", usual: "mse", claimed: matters, values: choices("loss", "lp", "cosine", "kl", "fisher")},
	{name: "degrees of freedom", usual: "codes, biases, all scales", claimed: matters, values: []choice{
		{name: "codes alone", params: "bias=false,scale=false,ascale=false"},
		{name: "no biases", params: "bias=false"},
		{name: "no scales of weights", params: "scale=false"},
		{name: "no scales of data", params: "ascale=false"},
	}},
	{name: "variable", usual: "ste", claimed: matters, values: choices("variable", "h", "soft")},
	{name: "grid", usual: "uniform", claimed: matters, values: []choice{{name: "power", base: "powerquant"}}},
	{name: "optimizer", usual: "adam", claimed: matters, values: choices("optimizer", "adamax", "nadam", "adamw", "sgd")},
	{name: "schedule", usual: "cosine", claimed: matters, values: choices("schedule", "constant")},
	{name: "rate", usual: "0.01", values: []choice{{name: "a third", params: "rate=0.003"}, {name: "three times", params: "rate=0.03"}}},
	{name: "rate of scales", usual: "0.005", values: []choice{{name: "a third", params: "arate=0.0015"}, {name: "three times", params: "arate=0.015"}}},
	{name: "regulariser of h", usual: "10, warm-up 0.2", with: [2]string{"variable", "h"}, values: []choice{
		{name: "none", params: "lambda=0"},
		{name: "a tenth", params: "lambda=1"},
		{name: "ten times", params: "lambda=100"},
		{name: "no warm-up", params: "warmup=0"},
	}},
	{name: "calibration", usual: "256 (ImageNet: 150)", claimed: robust, values: []choice{
		{name: "64 samples", params: "samples=64", sees: &sees{samples: 64}},
		{name: "16 samples", params: "samples=16", sees: &sees{samples: 16}},
		{name: "other pictures", sees: &sees{samples: learnedImages, strange: true}},
		{name: "made up from batch-norms", sees: &sees{}},
	}},
	{name: "augmentation", usual: "none", claimed: robust, values: choices("augment", "flip", "mixup")},
	{name: "drop", usual: "0.5", values: choices("drop", "0", "0.25")},
	{name: "input of the unit", usual: "mix", values: choices("input", "quantised", "float")},
	{name: "selection of weights", usual: "all", claimed: robust, with: [2]string{"variable", "h"}, values: choices("select", "unsure", "important")},
	{name: "start", usual: "gptq", values: choices("start", "nearest")},
	{name: "finish", usual: "best", values: choices("finish", "last")},
	{name: "batch", usual: "32", values: choices("batch", "8", "64")},
	{name: "steps", usual: "100", values: choices("steps", "25", "300")},
}

// choices are the values of one parameter.
func choices(param string, values ...string) []choice {
	var out []choice
	for _, v := range values {
		out = append(out, choice{name: v, params: param + "=" + v})
	}
	return out
}

// winners are the choices that the first round found better, by axis and name; the
// second round tries them together, and all but one of them.
var winners [][2]string

// combinations are the columns of the second round.
func combinations() []axis {
	if len(winners) < 2 {
		return nil
	}
	a := axis{name: "second round", usual: "none of them", values: []choice{joined("all winners", winners)}}
	for i, w := range winners {
		rest := slices.Delete(slices.Clone(winners), i, i+1)
		a.values = append(a.values, joined("all but "+w[0]+": "+w[1], rest))
	}
	return []axis{a}
}

// joined is several choices at once.
func joined(name string, list [][2]string) choice {
	out := choice{name: name}
	var params []string
	for _, w := range list {
		c := choiceOf(w[0], w[1])
		if c.params != "" {
			params = append(params, c.params)
		}
		if c.base != "" {
			out.base = c.base
		}
		if c.sees != nil {
			out.sees = c.sees
		}
	}
	out.params = strings.Join(params, ",")
	return out
}

// choiceOf is the value of an axis by their names.
func choiceOf(axis, name string) choice {
	for _, a := range axes {
		for _, c := range a.values {
			if a.name == axis && c.name == name {
				return c
			}
		}
	}
	panic("measure: no choice " + axis + ": " + name)
}
