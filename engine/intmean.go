package engine

import (
	"slices"
	"unsafe"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// averagesPixels matches the mean over all pixels of each channel of a value that
// comes from a grid.
func averagesPixels(b *builder, n *ir.Node) bool {
	shape := b.val(n.In[0]).shape
	if !b.fromGrid(n.In[0]) || len(shape) < 3 || tensor.Len(shape[2:])*255 >= 1<<31 {
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
	parts := max(1, c/meanChannels)
	room := c/parts + 1
	b.emit(&step{node: n, kernel: "int8 mean", tasks: images * parts, flops: int64(x.n), bytes: int64(x.n), scratch: 2 * room,
		reads: []*buf{x.b}, writes: []*buf{to.b},
		task: func(f *frame, task int, scratch []float32) {
			i, part := task/parts, task%parts
			c0, c1 := part*c/parts, (part+1)*c/parts
			sums := intView(scratch)
			kernel.SumCodes(sums[:c1-c0], sums[room:], f.codes(x)[i*pixels*c+c0:(i+1)*pixels*c], pixels, c)
			d := f.at(to)[i*c+c0 : i*c+c1]
			for j := range d {
				d[j] = float32((float64(sums[j])/float64(pixels) - float64(x.zero)) * float64(x.step))
			}
		}})
	return true
}

// meanChannels is how many channels one task averages at least.
const meanChannels = 64

// intView sees float32 memory as int32.
func intView(x []float32) []int32 {
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}
