package main

import "fmt"

// Amounts: shares of the multiply-accumulates that are kept.
var kept = []string{"0.98", "0.95", "0.9", "0.85", "0.8", "0.7", "0.6", "0.5"}

// Curves that the page speaks of by name.
const (
	redpp     = "red++"
	magnitude = "magnitude"
	random    = "random"
)

// families are all curves.
var families = []family{
	{
		title: "Channels removed or merged", views: channelViews,
		about: "Whole channels go, so that what is left is smaller dense layers.",
		curves: []curve{
			{random, "fold+random(macs=AMOUNT)", kept, randomSeeds},
			{"bn-scale", "fold+bn-scale(macs=AMOUNT)", kept, 0},
			{magnitude, "fold+magnitude(macs=AMOUNT)", kept, 0},
			{"red", "fold+red(macs=AMOUNT)", kept, 0},
			{redpp, "fold+red++(macs=AMOUNT)", kept, 0},
		},
	},
	{
		title: "Low rank", views: channelViews,
		about: "Layers become products of two or three smaller ones.",
		curves: []curve{
			{"svd", "fold+svd(macs=AMOUNT)", kept, 0},
			{"tucker", "fold+tucker(macs=AMOUNT)", kept, 0},
			{"cp", "fold+cp(macs=AMOUNT)", kept, 0},
		},
	},
}

func seedName(seed int) string { return fmt.Sprintf("seed %d", seed) }

// randomSeeds is how often random channels are drawn.
const randomSeeds = 3
