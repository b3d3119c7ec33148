package main

import (
	"path/filepath"
	"strings"

	"pare/internal/assets"
	"pare/ir"
)

// network is one network with the data it is measured on; paths are relative to
// the assets.
type network struct {
	name, file     string
	kind, data     string
	options        string
	batch, samples int // 0 for the defaults
	from           int // samples before this one are not measured on
	// repair mends the network before anything else, where its file is broken.
	repair func(m *ir.Model)
	// fill names the network in place of file where it comes without weights and
	// data: only what compressing takes is measured.
	fill string
}

// path is the network's file; one that comes without weights is written to dir.
func (n network) path(dir string) (string, error) {
	if n.fill != "" {
		return assets.Fill(dir, n.fill)
	}
	return filepath.Join(assets.Dir(), n.file), nil
}

// Preprocessing of the data.
const (
	cifar    = "mean=0.485,0.456,0.406&std=0.229,0.224,0.225"
	cifarViT = "mean=0.4914,0.4822,0.4465&std=0.2023,0.1994,0.2010"
	imagenet = "crop=224&mean=0.5&std=0.5"
)

var networks = []network{
	{name: "ResNet-20", file: "cifar10/resnet20.onnx", kind: "cifar10", data: "cifar10/test_5000.bin", options: cifar},
	{name: "ResNet-56", file: "cifar10/resnet56.onnx", kind: "cifar10", data: "cifar10/test_5000.bin", options: cifar},
	{name: "ViT tiny", file: "cifar10/vit_tiny.onnx", kind: "cifar10", data: "cifar10/test_5000.bin", options: cifarViT},
	{name: "MobileNetV1 0.75", file: "imagenet/mobilenet_v1_0.75.onnx", kind: "images", data: "imagenet/val", options: imagenet},
	{name: "MobileNetV2 1.0", file: "imagenet/mobilenet_v2_1.0.onnx", kind: "images", data: "imagenet/val", options: imagenet + "&classes=1001&offset=1"},
	{name: "stories260K", file: "language/stories260K.onnx", kind: "tokens", data: "language/tinystories_tokens.npz", batch: 4, samples: 64, repair: repairRepeat},
}

// recipes are applied to every network; the first is the original itself.
var recipes = []column{
	{name: "float", recipe: "copy"},
	{name: "fold", recipe: "fold"},
	{name: "w8", recipe: "w8"},
	{name: "w8a8", recipe: "w8a8"},
	{name: "powerquant, 8 bits", recipe: "fold+powerquant(w=8)"},
	{name: "uniform, 4 bits", recipe: "fold+uniform(w=4)"},
	{name: "powerquant, 4 bits", recipe: "fold+powerquant(w=4)"},
	{name: "uniform, 3 bits", recipe: "fold+uniform(w=3)"},
	{name: "powerquant, 3 bits", recipe: "fold+powerquant(w=3)"},
	{name: "w4", recipe: "w4"},
	{name: "w4a8", recipe: "w4a8"},
	{name: "rex, 4 bits, twice the operations", recipe: "fold+rex(budget=2)"},
}

// normalisation are the options that say how pixels become numbers.
func normalisation(options string) string {
	var out []string
	for _, o := range strings.Split(options, "&") {
		if strings.HasPrefix(o, "mean=") || strings.HasPrefix(o, "std=") {
			out = append(out, o)
		}
	}
	return strings.Join(out, "&")
}
