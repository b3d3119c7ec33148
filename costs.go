package pare

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"strings"

	"pare/compress"
	"pare/internal/costcache"
	"pare/internal/cpu"
	"pare/ir"
	"pare/kernel"
	"pare/op"
)

// CostOptions say which costs of layers are asked for.
type CostOptions struct {
	Threads int      // of a run; 0 for all processors
	Batch   int      // samples per run; 0 for 1
	Formats []string // "float", "w8a8" and the like, or recipes; nil for CostFormats
	Shapes  map[string][]int
	// Cache is the file of measured costs; "" for CostCache, "-" for none.
	Cache    string
	Progress Progress
}

// CostFormats are the formats that Costs measures by default.
var CostFormats = []string{"float", "w8a8", "w4a8", "w4a4"}

// LayerCost is what one layer takes on this machine.
type LayerCost struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Shape []int  `json:"shape,omitempty"` // of the data that it reads
	// MS is the time of a run in milliseconds by format; formats that the layer
	// cannot take are missing.
	MS     map[string]float64 `json:"ms,omitempty"`
	Reason string             `json:"reason,omitempty"` // why there is none
}

// Costs are times of layers by format, each measured alone between thin layers.
type Costs struct {
	Machine  string      `json:"machine"` // what they hold for
	Batch    int         `json:"batch"`
	Formats  []string    `json:"formats"`
	Layers   []LayerCost `json:"layers"`
	Measured int         `json:"measured"` // now
	Cached   int         `json:"cached"`   // taken from the file
	Notes    []string    `json:"notes,omitempty"`
}

// CostCache is the file in which costs are kept by default.
func CostCache() (string, error) { return costcache.Path() }

// Costs measures what the layers take in each format on this machine, once: times
// are kept by processor, kernels, threads, shape and format.
func (m *Model) Costs(ctx context.Context, o CostOptions) (*Costs, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Formats == nil {
		o.Formats = CostFormats
	}
	o.Batch = max(1, o.Batch)
	shapes, err := m.layerShapes(o)
	if err != nil {
		return nil, named(m.path, err)
	}
	cache, note := costcache.Open(o.Cache, machine(o.Threads))
	out := &Costs{Machine: machine(o.Threads), Batch: o.Batch, Formats: o.Formats, Layers: []LayerCost{}}
	if note != "" {
		out.Notes = append(out.Notes, note)
	}
	layers := compress.Layers(m.ir)
	for i := range layers {
		c, err := m.layerCost(ctx, &layers[i], shapes, o, cache, out)
		if err != nil {
			return nil, named(m.path, err)
		}
		out.Layers = append(out.Layers, c)
		if o.Progress != nil {
			o.Progress("timing layers", i+1, len(layers))
		}
	}
	if err := cache.Save(); err != nil {
		out.Notes = append(out.Notes, fmt.Sprintf("costs are not kept: %v", err))
	}
	return out, nil
}

// layerTimes lets methods ask what layers take.
func layerTimes(threads int) compress.Times {
	return func(ctx context.Context, m *ir.Model, formats []string) (map[string]map[string]float64, error) {
		c, err := New(m).Costs(ctx, CostOptions{Threads: threads, Formats: formats})
		if err != nil {
			return nil, err
		}
		out := map[string]map[string]float64{}
		for _, l := range c.Layers {
			out[l.Name] = l.MS
		}
		return out, nil
	}
}

// machine names what times hold for.
func machine(threads int) string {
	return fmt.Sprintf("%s, %s, kernels %d, %d threads", cpu.Model(), cpu.Level(), kernel.Version, threads)
}

// layerShapes are the shapes of all values for the options' inputs.
func (m *Model) layerShapes(o CostOptions) (map[string][]int, error) {
	in, _, err := m.RandomInputs(Random{Batch: o.Batch, Shapes: o.Shapes})
	if err != nil {
		return nil, err
	}
	fixed := ir.CloneModel(m.ir)
	for _, v := range fixed.Graph.Inputs {
		if t := in[v.Name]; t != nil {
			v.Type = ir.TypeOf(t)
		}
	}
	if _, err := op.InferWith(fixed, op.InferOptions{Redo: true}); err != nil {
		return nil, err
	}
	shapes := map[string][]int{}
	for v := range fixed.Graph.Values {
		if s, ok := v.Type.Sizes(); ok {
			shapes[v.Name] = s
		}
	}
	return shapes, nil
}

// layerCost looks the times of a layer up, or measures them.
func (m *Model) layerCost(ctx context.Context, l *compress.Layer, shapes map[string][]int, o CostOptions, cache *costcache.Cache, sum *Costs) (LayerCost, error) {
	c := LayerCost{Name: l.Name, Kind: string(l.Kind), MS: map[string]float64{}}
	if c.Reason = l.Reason; c.Reason != "" {
		return c, nil
	}
	if v := l.Node.In[max(0, l.Input)]; v != nil {
		c.Shape = shapes[v.Name]
	}
	one := layerModel(m.ir, l, c.Shape)
	if one == nil {
		c.Reason = "only convolutions and products with constant weights are timed"
		return c, nil
	}
	for _, f := range o.Formats {
		key := fmt.Sprint(signature(l, c.Shape), " ", f)
		ms, ok := cache.Get(key)
		if ok {
			sum.Cached++
		} else {
			var err error
			if ms, err = timeLayer(ctx, one, l.Name, f, o.Threads); err != nil {
				return c, fmt.Errorf("layer %s in %s: %w", l.Name, f, err)
			}
			cache.Put(key, ms)
			sum.Measured++
		}
		c.MS[f] = ms
	}
	return c, nil
}

// signature is what the time of a layer depends on.
func signature(l *compress.Layer, x []int) string {
	attrs := make([]string, 0, len(l.Node.Attrs))
	for _, a := range l.Node.Attrs {
		attrs = append(attrs, fmt.Sprint(a.Name, "=", a.Value))
	}
	return fmt.Sprint(l.Node.Op, x, l.Weight.Const.Shape, strings.Join(attrs, ","))
}

// shortFormat is a name such as w8a8.
var shortFormat = regexp.MustCompile(`^w([0-9]+)a([0-9]+)$`)

// costRuns are the runs of a layer whose median counts.
const costRuns = 15

// timeLayer is the median time in milliseconds of the steps of the layer called
// name.
func timeLayer(ctx context.Context, one *ir.Model, name, format string, threads int) (float64, error) {
	m := New(ir.CloneModel(one))
	if format != "float" {
		recipe := format
		if f := shortFormat.FindStringSubmatch(format); f != nil {
			recipe = fmt.Sprintf("uniform(w=%s,a=%s)", f[1], f[2])
		}
		if _, err := m.Compress(ctx, recipe, Options{Input: compress.InputRange{Lo: []float64{-3}, Hi: []float64{3}}}); err != nil {
			return 0, err
		}
	}
	in, _, err := m.RandomInputs(Random{Seed: 1})
	if err != nil {
		return 0, err
	}
	s, err := m.NewSession(ctx, SessionOptions{Threads: threads})
	if err != nil {
		return 0, err
	}
	steps, err := s.Profile(ctx, in, costRuns)
	ms := 0.0
	for _, st := range steps {
		if st.Name == name {
			ms += st.Seconds * 1e3
		}
	}
	return ms, err
}
