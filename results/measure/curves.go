package main

// Amounts: shares that are kept, widths, and thresholds of merging.
var (
	kept = amounts{
		[]string{"0.98", "0.95", "0.9", "0.85", "0.8", "0.7", "0.6", "0.5"},
		[]string{"0.995", "0.99", "0.98", "0.97", "0.95", "0.92", "0.9", "0.85"},
	}
	coarse = amounts{[]string{"0.95", "0.85", "0.7", "0.5"}, []string{"0.98", "0.95", "0.9"}}
	alphas = amounts{
		[]string{"0", "0.0005", "0.001", "0.002", "0.005", "0.01", "0.02", "0.05"},
		[]string{"0", "0.00001", "0.0001", "0.0005", "0.001", "0.002", "0.005", "0.01"},
	}
	rates  = amounts{[]string{"0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8"}, []string{"0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8"}}
	shifts = amounts{[]string{"0.002", "0.005", "0.01", "0.02", "0.03", "0.05", "0.1", "0.15"}, []string{"0.001", "0.002", "0.005", "0.01", "0.02", "0.03", "0.05", "0.1"}}
	codes  = amounts{[]string{"8", "7", "6", "5", "4", "3", "2"}, []string{"8", "7", "6", "5", "4"}}
)

// Curves and families that the page speaks of by name.
const (
	redpp      = "red++"
	magnitude  = "magnitude"
	random     = "random"
	splitCodes = "uniform codes, red++"
	plain      = "Channels, as the papers remove them"
	usual      = "Channels, with defaults"
	lowRank    = "Low rank"
)

// paper are the parameters of RED and RED++ as they were published.
const paper = "granularity=layer,levels=mode,error=0.02,tau=0.1,correct=false,scaled=false"

// Networks of curves that take longest, or that need filters of several taps or
// batch-norms.
var (
	small    = []string{resnet20}
	residual = []string{resnet20, resnet56}
)

// randomSeeds is how often random channels are drawn.
const randomSeeds = 3

// families are all curves.
var families = []family{
	{
		title: plain, views: channelViews,
		about: "Whole channels go, nothing makes up for them: the same share of every group, or the least relative to their group. RED merges neurons up to a distance (alpha).",
		curves: []curve{
			{random + ", plain", "fold+random(macs=AMOUNT,scope=layer,compensate=none)", kept, randomSeeds, nil},
			{"bn-scale, plain", "fold+bn-scale(macs=AMOUNT,scope=global,compensate=none)", kept, 0, residual},
			{magnitude + ", per layer", "fold+magnitude(macs=AMOUNT,scope=layer,compensate=none)", kept, 0, residual},
			{magnitude + ", global", "fold+magnitude(macs=AMOUNT,scope=global,compensate=none)", kept, 0, nil},
			{"red, paper", "fold+red(alpha=AMOUNT," + paper + ")", alphas, 0, nil},
			{"red++, paper", "fold+red++(alpha=AMOUNT," + paper + ")", alphas, 0, residual},
		},
	},
	{
		title: usual, views: channelViews,
		about: "A model of the errors says where how much goes, and what reads the channels is fitted to what is left.",
		curves: []curve{
			{random, "fold+random(macs=AMOUNT)", coarse, 0, small},
			{"bn-scale", "fold+bn-scale(macs=AMOUNT)", coarse, 0, small},
			{magnitude, "fold+magnitude(macs=AMOUNT)", kept, 0, nil},
			{magnitude + ", means", "fold+magnitude(macs=AMOUNT,compensate=mean)", coarse, 0, residual},
			{magnitude + ", nothing", "fold+magnitude(macs=AMOUNT,compensate=none)", coarse, 0, residual},
			{"red", "fold+red(macs=AMOUNT)|copy", kept, 0, nil},
			{redpp, "fold+red(macs=AMOUNT)|split", kept, 0, nil},
		},
	},
	{
		title: "Equal products and single weights", views: channelViews,
		about: "Hashing and splitting alone, by the error of hashing; weights set to zero, by their share.",
		curves: []curve{
			{"red++, hashing", "fold+red++(error=AMOUNT)", shifts, 0, nil},
			{magnitude + " of weights", "fold+magnitude(rate=AMOUNT,granularity=weight)", rates, 0, residual},
			{random + " weights", "fold+random(rate=AMOUNT,granularity=weight)", rates, 0, residual},
		},
	},
	{
		title: lowRank, views: channelViews,
		about: "Layers become products of two or three smaller ones, where a rule says that this saves time, or at any rank that saves multiply-accumulates.",
		curves: []curve{
			{"svd", "fold+svd(macs=AMOUNT)", kept, 0, nil},
			{"svd, any rank", "fold+svd(macs=AMOUNT,pays=macs)", kept, 0, residual},
			{"tucker", "fold+tucker(macs=AMOUNT)", kept, 0, residual},
			{"cp", "fold+cp(macs=AMOUNT)", kept, 0, small},
			{"cp, any rank", "fold+cp(macs=AMOUNT,pays=macs)", kept, 0, small},
		},
	},
	{
		title: "Codes and combinations", views: mixedViews,
		about: "Weights as codes repeat, so that most products are; channels, ranks and widths together.",
		curves: []curve{
			{"uniform codes", "fold+uniform(w=AMOUNT)", codes, 0, nil},
			{splitCodes, "fold+uniform(w=AMOUNT)+red++", codes, 0, residual},
			{"red++, powerquant 4 bits", "fold+red(macs=AMOUNT)|powerquant(w=4)+red++", kept, 0, nil},
			{"red++, w8a8", "fold+red(macs=AMOUNT)|uniform(w=8,a=8)+red++", kept, 0, residual},
			{"red++, svd", "fold+red(macs=AMOUNT)|svd(macs=0.9)", coarse, 0, residual},
		},
	},
}
