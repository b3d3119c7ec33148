package main

import "slices"

// factors are the choices of the ablation.
var factors = []factor{
	{
		title: "Width of ranges, evenly spaced", question: "How many standard deviations should ranges of data hold?",
		variants: each("uniform, k=VALUE", "fold+uniform(WIDTHS,k=VALUE)", "", "3", "4", "5", "6"),
		widths:   []pair{{8, 8}, {8, 6}, {8, 4}}, only: few,
		decision: "Six deviations at 8 bits, five at 6 and three at 4 are the best of the means or within two tenths of a decibel.",
	},
	{
		title: "Width of ranges, power grids", question: "The same on power grids, which pay less for wide ranges.",
		variants: each("powerquant, k=VALUE", "fold+powerquant(WIDTHS,k=VALUE)", "", "3", "4", "5", "6"),
		widths:   []pair{{8, 8}, {8, 6}, {8, 4}}, only: few,
		decision: "The same widths are the best here.",
	},
	{
		title: "SPIQ, part of the ranges that weights take up", question: "kappa=0 is one scale per tensor but for depthwise layers, 1 all of the ranges.",
		variants: append(
			[]variant{{"no spiq", "fold+uniform(WA)", false}},
			each("spiq, kappa=VALUE", "fold+spiq(WA,kappa=VALUE)+uniform(WA)", "auto", "0", "0.5", "1", "auto")...),
		widths:   []pair{{8, 8}, {6, 6}, {4, 8}, {4, 4}},
		decision: "No part beats one scale per tensor on the mean in the diagonal form; auto stays within six tenths of a decibel of the best.",
	},
	{
		title: "SPIQ, weights as good as exact", question: "The same where weights have 8 bits: what the ranges alone give.",
		variants: append(
			[]variant{{"no spiq, weights of 8 bits", "fold+uniform(WA)", false}},
			each("spiq, kappa=VALUE, weights of 8 bits", "fold+spiq(WA,kappa=VALUE)+uniform(WA)", "auto", "0", "0.5", "1", "auto")...),
		widths: []pair{{8, 6}, {8, 4}}, only: few,
	},
	{
		title: "SPIQ, width of ranges", question: "One scale for a tensor leaves most channels room beyond k deviations, a scale per channel none.",
		variants: slices.Concat(
			each("one scale, k=VALUE", "fold+uniform(WA,k=VALUE)", "", "5", "6", "8", "10"),
			each("diagonal, k=VALUE", "fold+spiq(WA,k=VALUE)+uniform(WA,k=VALUE)", "", "5", "6", "8", "10"),
			each("per axis, k=VALUE", "fold+spiq(WA,form=axis,k=VALUE)+uniform(w=W)", "", "5", "6", "8", "10")),
		widths: []pair{{8, 8}, {6, 6}}, only: few,
		decision: "Scales per channel want eight deviations at 8 bits and six at 6, one scale six and five: spiq(form=axis) reaches further.",
	},
	{
		title: "SPIQ, diagonal or per axis", question: "One scale per group of channels, or one per channel of every tensor?",
		variants: []variant{
			{"diagonal, kappa=1", "fold+spiq(WA,kappa=1)+uniform(WA)", false},
			{"diagonal, kappa=auto", "fold+spiq(WA)+uniform(WA)", true},
			{"per axis, kappa=1", "fold+spiq(WA,form=axis,kappa=1)+uniform(w=W)", false},
			{"per axis, kappa=auto", "fold+spiq(WA,form=axis)+uniform(w=W)", false},
		},
		widths: []pair{{8, 8}, {6, 6}, {4, 8}, {4, 4}}, only: few,
		decision: "Per axis is ahead by 1.2 decibels at W8A8 and 0.7 at W6A6. The diagonal form stays the default, as runtimes and pare's engine run it on integers.",
	},
	{
		title: "Power grids, largest level", question: "What do small integers cost? 32767 is as good as exact.",
		variants: each("powerquant, top=VALUE", "fold+powerquant(WIDTHS,top=VALUE,rounding=squant)", "", "16", "32", "48", "127", "32767"),
		widths:   []pair{{3, 16}, {4, 16}, {5, 16}},
		decision: "Between 32 and 32767 differences have both signs; 48 is the default up to 5 bits.",
	},
	{
		title: "Power grids, nearest rounding, largest level", question: "The same where every weight has the nearest level and every layer its exponent.",
		variants: each("nearest, top=VALUE", "fold+powerquant(WIDTHS,top=VALUE,exponent=layer)", "", "32", "48", "64", "127", "32767"),
		widths:   []pair{{3, 16}, {4, 16}}, only: few,
	},
	{
		title: "Power grids of 6 bits, largest level", question: "The same for 6 bits, which need 32.",
		variants: each("powerquant, top=VALUE", "fold+powerquant(WIDTHS,top=VALUE,rounding=squant)", "", "32", "48", "64", "127", "32767"),
		widths:   []pair{{6, 16}}, only: few,
		decision: "Small levels cost MobileNetV1 a decibel: words stay the default at 6 bits.",
	},
	{
		title: "Power grids of weights and data, largest level", question: "The same where data are on power grids, too.",
		variants: each("powerquant, top=VALUE", "fold+powerquant(WIDTHS,top=VALUE,rounding=squant)", "", "16", "32", "48", "127", "32767"),
		widths:   []pair{{4, 4}}, only: few,
	},
	{
		title: "Power grids of weights and data of 6 bits, largest level", question: "The same at 6 bits.",
		variants: each("powerquant, top=VALUE", "fold+powerquant(WIDTHS,top=VALUE,rounding=squant)", "", "64", "127", "32767"),
		widths:   []pair{{6, 6}}, only: few,
		decision: "127 costs 0.3 decibels on the mean; the preset w6a6 takes it all the same, as integer kernels then run its layers.",
	},
	{
		title: "Codebooks, largest level", question: "What do small integers cost k-means? 0 is no grid at all.",
		variants: each("codebook, top=VALUE", "fold+codebook(WIDTHS,top=VALUE)", "48", "16", "32", "48", "127", "0"),
		widths:   []pair{{3, 16}, {4, 16}, {5, 16}}, only: few,
		decision: "48 stays the default: within two tenths of a decibel of the best.",
	},
	{
		title: "First and last layers", question: "What do 8 bits in the first and last layers give?",
		variants: []variant{
			{"uniform", "fold+uniform(WIDTHS)", true}, {"uniform, edges=8", "fold+uniform(WIDTHS,edges=8)", false},
			{"powerquant", "fold+powerquant(WIDTHS)", true}, {"powerquant, edges=8", "fold+powerquant(WIDTHS,edges=8)", false},
		},
		widths: []pair{{6, 6}, {4, 8}, {4, 4}, {3, 16}}, only: few,
		decision: "Up to a decibel on the mean. The default stays the same width for all layers, which tables are easier to compare by.",
	},
	{
		title: "Exponent of power grids", question: "One exponent for the network or one per layer?",
		variants: each("exponent=VALUE", "fold+powerquant(WIDTHS,exponent=VALUE)", "network", "network", "layer"),
		widths:   []pair{{8, 8}, {6, 6}, {4, 4}, {6, 16}, {4, 16}, {3, 16}}, only: few,
		decision: "Within half a decibel, in both directions: one exponent for the network stays the default.",
	},
	{
		title: "Equalisation", question: "Bounds of ReLU6 per channel or left alone; growth of channels limited or not; absorption with and without a check.",
		variants: []variant{
			{"none", "fold+uniform(WA)+correct", false},
			{"clip=bound", "fold+equalize+uniform(WA)+correct", true},
			{"clip=leave", "fold+equalize(clip=leave)+uniform(WA)+correct", false},
			{"reach=false", "fold+equalize(reach=false)+uniform(WA)+correct", false},
			{"absorb", "fold+equalize+absorb+uniform(WA)+correct", true},
			{"absorb, check=false", "fold+equalize+absorb(check=false)+uniform(WA)+correct", false},
		},
		widths: []pair{{8, 8}, {6, 6}}, only: few,
		decision: "Growth without a limit destroys MobileNetV1, and the check of absorption is worth a quarter of a decibel on the mean: both stay. Bounds per channel cost it " +
			"3 dB at W8A8 and pay where weights are narrower (DFQ in datafree.md), so clip=leave is the better choice at 8 bits.",
	},
}
