package main

import "slices"

// network is one network of the table; paths are relative to the assets.
type network struct {
	name  string
	file  string             // with weights
	fill  string             // without: a name in speed/
	make  func(string) error // neither: writes it to a path
	shape map[string][]int   // of one sample, where the network does not say
	kind  kind
}

func (n network) is(k kind) bool { return n.kind == k }

// kind says which files make sense.
type kind int

const (
	convolutions kind = iota
	transformer
	dense
)

var networks = []network{
	{name: "resnet18", fill: "resnet18"},
	{name: "resnet50", fill: "resnet50"},
	{name: "mobilenet_v2", fill: "mobilenet_v2"},
	{name: "mobilenet_v3_large", fill: "mobilenet_v3_large"},
	{name: "efficientnet_b0", fill: "efficientnet_b0"},
	{name: "densenet121", fill: "densenet121"},
	{name: "vit_b_16", fill: "vit_b_16", kind: transformer},
	{name: "resnet20", file: "cifar10/resnet20.onnx"},
	{name: "minilm-l6", file: "language/minilm-l6.onnx", shape: map[string][]int{"input_ids": {1, 128}}, kind: transformer},
	{name: "dense4096", make: makeDense, kind: dense},
}

// column is one competitor: an engine and what it runs.
type column struct {
	name   string
	title  string // of the page
	engine string // pare, or one of x/peers/serve.py
	recipe string // by which pare writes the file, "" for the network as it is
	suffix string // of the file behind the network's name
	ints   bool   // compared with the peers' integers, not with their floats
	bits   int    // of the weights, where the speed of reading them counts
	kinds  []kind // nil for convolutions and transformers
	// once keeps it to batch 1 and one thread.
	once bool
}

const (
	own     = "pare"
	ort     = "ort"
	vino    = "openvino"
	ortFile = ".ort-static-fast.onnx"
)

var columns = []column{
	{name: "float", title: "float", engine: own, suffix: ".onnx", bits: 32, kinds: everything},
	{name: "w8a8", title: "W8A8", engine: own, recipe: "w8a8", ints: true, bits: 8, kinds: everything},
	{name: "w7a8", title: "W7A8", engine: own, recipe: "fold+uniform(w=7,a=8,rounding=squant)+correct", ints: true, once: true},
	{name: "w6a8", title: "W6A8", engine: own, recipe: "fold+uniform(w=6,a=8,rounding=squant)+correct", ints: true, once: true},
	{name: "w4a8", title: "W4A8", engine: own, recipe: "fold+uniform(w=4,a=8,rounding=squant)+correct", ints: true, bits: 4, kinds: everything},
	{name: "w4a8power", title: "W4A8 power", engine: own, recipe: "fold+powerquant(w=4,a=8,exponent=layer,aexponent=1)+correct", ints: true, bits: 4, once: true, kinds: everything},
	{name: "w4a16", title: "W4A16", engine: own, recipe: "fold+uniform(w=4)", bits: 4, once: true, kinds: []kind{dense}},
	{name: "rex", title: "REx W8A8 1.5x", engine: own, recipe: "fold+rex(base=uniform(w=8,a=8),budget=1.5)", ints: true, once: true},
	{name: "ort-float", title: "ONNX Runtime float", engine: ort, suffix: ".onnx", bits: 32, kinds: everything},
	{name: "openvino-float", title: "OpenVINO float", engine: vino, suffix: ".onnx", bits: 32, kinds: everything},
	{name: "ort-int8", title: "ONNX Runtime int8", engine: ort, suffix: ortFile, ints: true},
	{name: "ort-dynamic", title: "ONNX Runtime dynamic int8", engine: ort, suffix: ".ort-dynamic.onnx", ints: true, bits: 8, kinds: []kind{transformer, dense}},
	{name: "openvino-int8", title: "OpenVINO int8 (NNCF)", engine: vino, suffix: ".nncf.xml", ints: true},
	{name: "openvino-ort-int8", title: "OpenVINO on ONNX Runtime's int8", engine: vino, suffix: ortFile, ints: true},
	{name: "ort-int4", title: "ONNX Runtime int4 blocks", engine: ort, suffix: ".ort-nbits4-fast.onnx", ints: true, bits: 4, once: true, kinds: []kind{dense}},
}

var everything = []kind{convolutions, transformer, dense}

// file is the name of the file that a column runs.
func (c column) file(n network) string {
	if c.suffix != "" {
		return n.name + c.suffix
	}
	return n.name + "." + c.name + ".onnx"
}

// peer reports whether the column is another engine.
func (c column) peer() bool { return c.engine != own }

// suits reports whether the column belongs into a cell.
func (c column) suits(x cell) bool {
	if c.once && (x.threads > 1 || x.batch > 1) {
		return false
	}
	return slices.Contains(c.kinds, x.network.kind) || c.kinds == nil && x.network.kind != dense
}

// cell is what is timed together.
type cell struct {
	network        network
	isa            string
	threads, batch int
}

// grid lists the cells of some settings, the quickest first.
func grid(isas []string, threads, batches []int) []cell {
	var out []cell
	for _, batch := range batches {
		for _, t := range threads {
			for _, isa := range isas {
				for _, n := range networks {
					if !n.is(dense) || batch == 1 {
						out = append(out, cell{n, isa, t, batch})
					}
				}
			}
		}
	}
	return out
}
