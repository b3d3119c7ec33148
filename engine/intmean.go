package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// averagesPixels matches the mean over all pixels of each channel of a value that
// comes from a grid.
func averagesPixels(b *builder, n *ir.Node) bool {
	shape := b.val(n.In[0]).shape
	if !b.fromGrid(n.In[0]) || len(shape) < 3 || tensor.Len(shape[2:])*255 >= 1<<24 {
		return false
	}
	if n.Op == "GlobalAveragePool" {
		return true
	}
	axes := n.Ints("axes")
	if b.m.Opset("") >= 18 {
		axes = nil
		if len(n.In) > 1 && n.In[1] != nil {
			axes, _ = b.ints(n.In[1])
		}
	}
	axes = slices.Clone(axes)
	for i := range axes {
		var ok bool
		if axes[i], ok = axisOf(axes[i], len(shape)); !ok {
			return false
		}
	}
	slices.Sort(axes)
	for i := range axes {
		if axes[i] != i+2 {
			return false
		}
	}
	return len(axes) == len(shape)-2
}

// intMeanForm adds up codes, exactly, and gives a real mean.
func intMeanForm(b *builder, n *ir.Node) bool {
	if b.val(n.In[0]).coded == nil || !averagesPixels(b, n) {
		return false
	}
	x := b.codesLast(n.In[0], b.val(n.In[0]).coded)
	images, c, pixels := dims(b.val(n.In[0]).shape)
	to := b.newPlain(n.Out[0])
	unit := kernel.NewScales([]kernel.Scale{{Step: 1, Hi: 255}})
	width := sideBySide(c, pixels)
	b.emit(&step{node: n, kernel: "int8 mean", tasks: images, flops: int64(x.n), bytes: int64(x.n), scratch: 2 * width,
		reads: []*buf{x.b}, writes: []*buf{to.b},
		task: func(f *frame, i int, scratch []float32) {
			sum, part := scratch[:width], scratch[width:2*width]
			clear(sum)
			codes := f.codes(x)[i*pixels*c : (i+1)*pixels*c]
			for at := 0; at < len(codes); at += width {
				k := min(width, len(codes)-at)
				kernel.DequantizeU8(part[:k], codes[at:at+k], unit)
				kernel.Add.Run(sum[:k], sum[:k], part[:k])
			}
			for at := c; at < width; at += c {
				kernel.Add.Run(sum[:c], sum[:c], sum[at:at+c])
			}
			d := f.at(to)[i*c : (i+1)*c]
			for j := range d {
				d[j] = float32((float64(sum[j])/float64(pixels) - float64(x.zero)) * float64(x.step))
			}
		}})
	return true
}
