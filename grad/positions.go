package grad

import (
	"slices"

	"pare/op"
	"pare/tensor"
)

// positions evaluates the node on the positions of elements of its first n operands,
// counted through all of them; other operands must be known. -1 stands for what comes
// from nowhere. Where every image is treated like the first, only the first of images
// counts.
func (b *builder) positions(n, fill int) (where []*tensor.Tensor, images int, ok bool) {
	if images := b.images(n); images > 2 {
		two, ok := b.evaluateOn(n, fill, 2)
		if ok && b.alikeImages(two, n) {
			for i, t := range two {
				if t != nil {
					half := tensor.Data[int64](t)[:t.Len()/2]
					two[i] = tensor.Of([]int{len(half)}, half)
				}
			}
			return two, images, true
		}
	}
	where, ok = b.evaluateOn(n, fill, 0)
	return where, 1, ok
}

// images is the size of the first axis, where operands and results agree on it.
func (b *builder) images(n int) int {
	if len(b.shape(0)) < 2 {
		return 0
	}
	images := b.shape(0)[0]
	for i := range n {
		if len(b.shape(i)) < 2 || b.shape(i)[0] != images {
			return 0
		}
	}
	for k := range b.node.Out {
		if b.wanted(k) && (len(b.sizes(k)) < 2 || b.sizes(k)[0] != images) {
			return 0
		}
	}
	return images
}

// alikeImages reports whether the second of two images is made from second ones as the
// first is from first ones.
func (b *builder) alikeImages(two []*tensor.Tensor, n int) bool {
	var starts []int64 // of the operands, in elements of one image
	next := int64(0)
	for i := range n {
		starts = append(starts, next)
		next += int64(tensor.Len(b.shape(i)[1:]))
	}
	for k, t := range two {
		if t == nil {
			continue
		}
		if b.wanted(k) && t.Len() != 2*tensor.Len(b.sizes(k)[1:]) {
			return false
		}
		first, second := tensor.Data[int64](t)[:t.Len()/2], tensor.Data[int64](t)[t.Len()/2:]
		for e, p := range first {
			if p < 0 {
				if second[e] >= 0 {
					return false
				}
				continue
			}
			i := len(starts) - 1
			for p < 2*starts[i] {
				i--
			}
			size := int64(tensor.Len(b.shape(i)[1:]))
			if p >= 2*starts[i]+size || second[e] != p+size {
				return false
			}
			first[e] = p - starts[i]
		}
	}
	return true
}

// evaluateOn runs the reference on the positions of so many images, or of all for 0.
func (b *builder) evaluateOn(n, fill, images int) ([]*tensor.Tensor, bool) {
	in := make([]op.Val, max(len(b.node.In), fill+1))
	next := int64(0)
	for i := range b.node.In {
		switch {
		case i < n:
			shape := slices.Clone(b.shape(i))
			if images > 0 {
				shape[0] = images
			}
			t := tensor.New(tensor.Int64, shape...)
			data := tensor.Data[int64](t)
			for k := range data {
				data[k] = next
				next++
			}
			in[i] = t
		case b.has(i) && b.constant(i) == nil:
			return nil, false
		case b.has(i):
			in[i] = b.constant(i)
		}
	}
	if fill > 0 {
		in[fill] = tensor.Scalar(int64(-1))
	}
	out, err := b.interp.Node(b.ctx, b.node, in, nil)
	if err != nil {
		if images > 0 {
			return nil, false
		}
		refuse("%w", err)
	}
	list := make([]*tensor.Tensor, len(out))
	for i, x := range out {
		list[i], _ = x.(*tensor.Tensor)
	}
	return list, true
}
