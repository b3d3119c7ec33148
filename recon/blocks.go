package recon

import "pare/compress"

// join puts segments together that make one block where no sum shows it: a depthwise
// layer with the layers of one pixel before, where that widens, and behind it.
func (c *cutter) join(list []Segment) []Segment {
	var out []Segment
	open := false // the last of out takes the next one
	for i, s := range list {
		if open {
			last := &out[len(out)-1]
			last.To = s.To
			last.Units[0].Layers = append(last.Units[0].Layers, s.Units[0].Layers...)
		} else {
			out = append(out, s)
		}
		whole := out[len(out)-1].Units[0].Layers
		open = i > 0 && i+1 < len(list) && len(s.Units[0].Layers) == 1 &&
			(c.isDepthwise(s) || len(whole) == 1 && c.widens(s) && c.isDepthwise(list[i+1]))
	}
	return out
}

// only is the layer of a segment that has one.
func (c *cutter) only(s Segment) *compress.Layer {
	if list := s.Units[0].Layers; len(list) == 1 {
		return c.layers[list[0]]
	}
	return nil
}

func (c *cutter) isDepthwise(s Segment) bool {
	l := c.only(s)
	return l != nil && l.Kind == compress.Depthwise
}

// widens reports a convolution of single pixels to at least twice the channels.
func (c *cutter) widens(s Segment) bool {
	l := c.only(s)
	if l == nil || l.Kind != compress.Conv {
		return false
	}
	shape := l.Encoded.Codes.Shape
	return shape[0] >= 2*shape[1] && len(shape) > 2 && shape[2] == 1
}
