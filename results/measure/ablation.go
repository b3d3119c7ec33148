package main

import (
	"fmt"
	"slices"
	"strings"
)

// ablation varies one choice at a time, on data that are held out: no table of
// accuracy is measured on them. Defaults follow from it.
var ablation = set{
	name: "ablation", golden: "results/ablation.json", page: "results/ablation.md",
	networks: ablationNetworks(), columns: ablationColumns(), render: ablationPage,
}

// Samples of the ablation.
const (
	heldOutCIFAR    = 1000
	heldOutImageNet = 100
)

// Networks that the ablation speaks of by name.
const (
	resnet20 = "ResNet-20"
	resnet56 = "ResNet-56"
	vit      = "ViT tiny"
	mobile1  = "MobileNetV1 0.75"
	mobile2  = "MobileNetV2 1.0"
)

// ablationNetworks are the networks of pictures on training images and on those
// that are there to calibrate with.
func ablationNetworks() []network {
	var out []network
	for _, n := range networks {
		switch n = n.heldOut(); n.kind {
		case "cifar10":
			n.samples = heldOutCIFAR
		case "images":
			n.samples = heldOutImageNet
		default:
			continue
		}
		out = append(out, n)
	}
	return out
}

// heldOut is the network on samples that no accuracy is reported on; those that
// have none stay as they are.
func (n network) heldOut() network {
	switch n.kind {
	case "cifar10":
		n.data = "cifar10/train_batch_1.bin"
	case "images":
		n.data = "imagenet/calibration"
	}
	return n
}

// factor is one choice: variants by name, with WIDTHS, WA or W in place of the
// widths, at the widths where the choice matters.
type factor struct {
	title, question string
	variants        []variant
	widths          []pair
	only            []string // networks, nil for all
	// decision is what the figures settled.
	decision string
}

// variant is one value of a factor; the usual one is what methods do by default.
type variant struct {
	name, recipe string
	usual        bool
}

// few are the networks of factors that matter less.
var few = []string{resnet20, vit, mobile1, mobile2}

// each makes variants of a list of values, put in place of VALUE.
func each(name, recipe, usual string, values ...string) []variant {
	var out []variant
	for _, v := range values {
		out = append(out, variant{strings.ReplaceAll(name, "VALUE", v), strings.ReplaceAll(recipe, "VALUE", v), v == usual})
	}
	return out
}

// column is a variant at a pair of widths.
func (f *factor) column(v variant, p pair) column {
	r := strings.ReplaceAll(v.recipe, "WIDTHS", p.args())
	r = strings.ReplaceAll(r, "WA", p.both())
	r = strings.ReplaceAll(r, "=W)", fmt.Sprintf("=%d)", p.w))
	return column{name: v.name, widths: p.String(), recipe: r, only: f.only}
}

// both are the widths of weights and data, 8 for data that stay in float.
func (p pair) both() string { return fmt.Sprintf("w=%d,a=%d", p.w, min(p.a, 8)) }

// ablationColumns are those of all factors, each recipe once per name.
func ablationColumns() []column {
	out := []column{floatColumn}
	for i := range factors {
		f := &factors[i]
		for _, p := range f.widths {
			for _, v := range f.variants {
				out = append(out, f.column(v, p))
			}
		}
	}
	return out
}

// networksOf lists the networks of a factor.
func (f *factor) networksOf() []network {
	return slices.DeleteFunc(ablationNetworks(), func(n network) bool { return !(column{only: f.only}).suits(n) })
}
