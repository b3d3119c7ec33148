package pare

import "pare/cost"

// Redundancy says what repeats in the weights of a network, over all layers whose
// weights are constant and multiply: what needs no computation a second time.
type Redundancy struct {
	Weights int64 `json:"weights"`
	// NonZero counts the weights other than 0, Products the distinct magnitudes among
	// those of an input channel.
	NonZero  int64 `json:"non_zero"`
	Products int64 `json:"products"`
	// Kernels is the number of kernels of more than one tap other than 0, Distinct
	// that of those which differ in more than their sign.
	Kernels  int64 `json:"kernels"`
	Distinct int64 `json:"distinct_kernels"`
	// Unread is the number of channels that layers give no weight, Constant that of
	// channels which layers compute as constants: all their weights are 0.
	Unread   int64 `json:"unread"`
	Constant int64 `json:"constant"`
}

func redundancy(c *cost.Count) (out Redundancy) {
	for _, l := range c.Layers {
		if l.Channels == 0 {
			continue
		}
		out.Weights += int64(l.Params)
		out.NonZero += l.NonZero
		out.Products += l.Products
		out.Kernels += l.Kernels
		out.Distinct += l.Distinct
		out.Unread += l.Unread
		out.Constant += l.Constant
	}
	return out
}

// countsOf are the layers by name, of several of one name the first.
func countsOf(c *cost.Count) map[string]*cost.Layer {
	out := map[string]*cost.Layer{}
	for i := range c.Layers {
		if l := &c.Layers[i]; out[l.Name] == nil {
			out[l.Name] = l
		}
	}
	return out
}
