package main

import (
	"fmt"
	"path/filepath"

	"pare"
	"pare/dataset"
	"pare/internal/assets"
)

// calibrationSet is what recipes and tools that need data may see of a kind of
// data: samples lo to hi-1, none of which the networks are measured on.
type calibrationSet struct {
	kind, path, options string // kind and options are "" for those of the network
	lo, hi              int
	what                string
}

var calibrationSets = map[string]calibrationSet{
	"cifar10": {path: "cifar10/train_batch_1.bin", hi: 1024, what: "training images"},
	"images":  {path: "imagenet/calibration", hi: 250, what: "images"},
	"sts":     {path: "language/stsb_750.npz", lo: 500, hi: 750, what: "other pairs"},
}

// strangers are pictures of another kind than those that a network is for, cut to
// its size.
var strangers = map[string]calibrationSet{
	"cifar10": {kind: "images", path: "imagenet/calibration", options: "resize=32&crop=32", hi: 250, what: "ImageNet images"},
	"images":  {kind: "cifar10", path: "cifar10/train_batch_1.bin", options: "resize=224&crop=224", hi: 250, what: "CIFAR-10 images"},
}

// trainingSets are those that networks are trained on.
var trainingSets = map[string]calibrationSet{
	"cifar10": {path: "cifar10/train_batch_1.bin,cifar10/train_batch_2.bin", hi: 20000, what: "training images"},
}

// everySample asks for all samples that there are.
const everySample = 1 << 30

// sees says what a recipe may look at: so many samples at most, none for 0;
// strange ones are of another kind than the network is for.
type sees struct {
	samples int
	strange bool
	// training says that networks are trained on them.
	training bool
}

// of is the part of the samples of a network that is seen: none that it is measured
// on.
func (s sees) of(n network) (calibrationSet, error) {
	list := calibrationSets
	switch {
	case s.strange:
		list = strangers
	case s.training:
		list = trainingSets
	}
	c, ok := list[n.kind]
	if !ok {
		return c, fmt.Errorf("there are no samples to calibrate with for data of kind %s", n.kind)
	}
	c.hi = min(c.hi, c.lo+s.samples)
	if c.path == n.data && n.from > 0 {
		c.hi = min(c.hi, n.from)
	}
	return c, nil
}

// String says what the samples are.
func (c calibrationSet) String() string {
	n := c.hi - c.lo
	if n >= 1000 {
		return fmt.Sprintf("%d,%03d %s", n/1000, n%1000, c.what)
	}
	return fmt.Sprintf("%d %s", n, c.what)
}

// text describes what is seen of a network's samples; "" for nothing.
func (s sees) text(n network) string {
	if s.samples == 0 {
		return ""
	}
	c, err := s.of(n)
	if err != nil {
		return err.Error()
	}
	return c.String()
}

// open opens the samples as the model is fed with them; nil where none are seen.
func (s sees) open(m *pare.Model, n network) (dataset.Set, error) {
	if s.samples == 0 {
		return nil, nil
	}
	c, err := s.of(n)
	if err != nil {
		return nil, err
	}
	n.data = c.path
	if c.kind != "" {
		n.kind, n.options = c.kind, c.options+"&"+normalisation(n.options)
	}
	all, err := m.OpenData(n.spec(assets.Dir()))
	if err != nil {
		return nil, err
	}
	if all.Len() < c.hi {
		return nil, fmt.Errorf("%s holds %d samples, fewer than %d", filepath.Base(c.path), all.Len(), c.hi)
	}
	return dataset.Tail(dataset.Head(all, c.hi), c.lo), nil
}
