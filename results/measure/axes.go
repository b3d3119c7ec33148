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
	{"unit", "block", matters, choices("unit", "layer", "network")},
	{"loss", "mse", matters, choices("loss", "lp", "cosine", "kl", "fisher")},
	{"degrees of freedom", "roundings and scales of data", matters, []choice{
		{name: "roundings alone", params: "ascale=false"},
		{name: "biases, too", params: "bias=true"},
		{name: "scales of weights, too", params: "scale=true"},
		{name: "all", params: "bias=true,scale=true"},
	}},
	{"variable", "h", matters, choices("variable", "ste", "soft")},
	{"grid", "uniform", matters, []choice{{name: "power", base: "powerquant"}}},
	{"optimizer", "adam", matters, choices("optimizer", "adamax", "nadam", "adamw", "sgd")},
	{"schedule", "cosine", matters, choices("schedule", "constant")},
	{"rate", "1e-2", "", []choice{{name: "a third", params: "rate=0.003"}, {name: "three times", params: "rate=0.03"}}},
	{"rate of scales", "1e-3", "", []choice{{name: "a third", params: "arate=0.0003"}, {name: "three times", params: "arate=0.003"}}},
	{"regulariser", "lambda 1, warm-up 0.2", "", []choice{
		{name: "none", params: "lambda=0"},
		{name: "a tenth", params: "lambda=0.1"},
		{name: "ten times", params: "lambda=10"},
		{name: "no warm-up", params: "warmup=0"},
	}},
	{"calibration", "256 (ImageNet: 150)", robust, []choice{
		{name: "64 samples", params: "samples=64", sees: &sees{samples: 64}},
		{name: "16 samples", params: "samples=16", sees: &sees{samples: 16}},
		{name: "other pictures", sees: &sees{samples: learnedImages, strange: true}},
		{name: "made up from batch-norms", sees: &sees{}},
	}},
	{"augmentation", "none", robust, choices("augment", "flip", "mixup")},
	{"drop", "0.5", "", choices("drop", "0", "0.25")},
	{"input of the unit", "mix", "", choices("input", "quantised", "float")},
	{"selection of weights", "all", robust, choices("select", "unsure", "important")},
	{"start", "nearest", "", choices("start", "gptq")},
	{"finish", "best", "", choices("finish", "last")},
	{"batch", "32", "", choices("batch", "8", "64")},
	{"steps", "100", "", choices("steps", "25", "300")},
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
	a := axis{name: "second round", usual: "nothing", values: []choice{joined("all winners", winners)}}
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
