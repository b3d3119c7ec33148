package main

// Amounts: shares that are kept, widths, and thresholds of merging.
var (
	kept = amounts{
		[]string{"0.98", "0.95", "0.9", "0.85", "0.8", "0.7", "0.6", "0.5"},
		[]string{"0.995", "0.99", "0.98", "0.97", "0.95", "0.92", "0.9", "0.85"},
	}
	alphas = amounts{
		[]string{"0", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2"},
		[]string{"0", "0.00001", "0.0001", "0.0005", "0.001", "0.002", "0.005", "0.01"},
	}
	codes = amounts{[]string{"8", "7", "6", "5", "4", "3", "2"}, []string{"8", "7", "6", "5", "4"}}
)

// Curves and families that the page speaks of by name.
const (
	redpp      = "red++"
	magnitude  = "magnitude"
	random     = "random"
	splitCodes = "uniform codes, red++"
	lowRank    = "Low rank"
)

// randomSeeds is how often random channels are drawn.
const randomSeeds = 3

// families are all curves.
var families = []family{
	{
		title: "Channels removed or merged", views: channelViews,
		about: "Whole channels go, so that what is left is smaller dense layers; red++ computes equal products once besides.",
		curves: []curve{
			{random, "fold+random(macs=AMOUNT)", kept, randomSeeds},
			{"bn-scale", "fold+bn-scale(macs=AMOUNT)", kept, 0},
			{magnitude, "fold+magnitude(macs=AMOUNT)", kept, 0},
			{"red, paper", "fold+red(alpha=AMOUNT,scaled=false)", alphas, 0},
			{"red", "fold+red(macs=AMOUNT)", kept, 0},
			{redpp, "fold+red++(macs=AMOUNT)", kept, 0},
		},
	},
	{
		title: lowRank, views: channelViews,
		about: "Layers become products of two or three smaller ones.",
		curves: []curve{
			{"svd", "fold+svd(macs=AMOUNT)", kept, 0},
			{"tucker", "fold+tucker(macs=AMOUNT)", kept, 0},
			{"cp", "fold+cp(macs=AMOUNT)", kept, 0},
		},
	},
	{
		title: "Codes and combinations", views: mixedViews,
		about: "Weights as codes repeat, so that most products are; channels, ranks and widths together.",
		curves: []curve{
			{"uniform codes", "fold+uniform(w=AMOUNT)", codes, 0},
			{splitCodes, "fold+uniform(w=AMOUNT)+red++", codes, 0},
			{"red++, powerquant 4 bits", "fold+red++(macs=AMOUNT)+powerquant(w=4)", kept, 0},
			{"red++, w8a8", "fold+red++(macs=AMOUNT)+uniform(w=8,a=8)", kept, 0},
			{"red++, svd", "fold+red++(macs=0.9)+svd(macs=AMOUNT)", kept, 0},
		},
	},
}
