package grad

import "pare/kernel"

// lowerConv is a convolution of images or lines.
func lowerConv(b *builder) error {
	s, err := b.convShape()
	if err != nil {
		return err
	}
	x, w, bias := b.in(0, last), b.in(1, plain), b.in(2, plain)
	y := b.out(0, last)
	in := []*slot{x, w}
	if bias != nil {
		in = append(in, bias)
	}
	st := b.step(in, []*slot{y})
	cg, og := s.C/s.Groups, s.O/s.Groups
	oh, ow := s.OH(), s.OW()
	// each calls f for every product of a source element and a weight of image n.
	each := func(n int, f func(x, w, y int)) {
		for i := range oh {
			for j := range ow {
				for kh := range s.KH {
					h := i*s.StrideH + kh*s.DilH - s.PadT
					if h < 0 || h >= s.H {
						continue
					}
					for kw := range s.KW {
						v := j*s.StrideW + kw*s.DilW - s.PadL
						if v < 0 || v >= s.W {
							continue
						}
						for o := range s.O {
							g := o / og
							for c := range cg {
								f(((n*s.H+h)*s.W+v)*s.C+g*cg+c, ((o*cg+c)*s.KH+kh)*s.KW+kw, ((n*oh+i)*ow+j)*s.O+o)
							}
						}
					}
				}
			}
		}
	}
	st.then(spanBy(s.N, 1, func(n, _ int) {
		for i := range oh * ow {
			dst := y.data[(n*oh*ow+i)*s.O:][:s.O]
			clear(dst)
			if bias != nil {
				copy(dst, bias.data)
			}
		}
		each(n, func(i, k, o int) { y.data[o] += x.data[i] * w.data[k] })
	}))
	if st.wants(0) {
		st.uses(w)
		st.back(spanBy(s.N, 1, func(n, _ int) {
			clear(st.dx[0][n*s.H*s.W*s.C:][:s.H*s.W*s.C])
			each(n, func(i, k, o int) { st.dx[0][i] += y.grad[o] * w.data[k] })
		}))
	}
	if st.wants(1) {
		st.uses(x)
		st.back(serial(func() {
			clear(st.dx[1])
			for n := range s.N {
				each(n, func(i, k, o int) { st.dx[1][k] += y.grad[o] * x.data[i] })
			}
		}))
	}
	if st.wants(2) {
		st.back(serial(func() {
			clear(st.dx[2])
			for i, v := range y.grad {
				st.dx[2][i%s.O] += v
			}
		}))
	}
	return nil
}

// convShape reads the geometry of a convolution; lines are images of height 1.
func (b *builder) convShape() (kernel.ConvShape, error) {
	x, w := b.shape(0), b.shape(1)
	rank := len(x) - 2
	if rank != 1 && rank != 2 {
		refuse("convolutions over %d dimensions have no gradient", rank)
	}
	n := b.node
	strides, dil := ones(n.Ints("strides"), rank), ones(n.Ints("dilations"), rank)
	pads := b.pads(x[2:], w[2:], strides, dil)
	if rank == 1 {
		x, w = []int{x[0], x[1], 1, x[2]}, []int{w[0], w[1], 1, w[2]}
		strides, dil, pads = []int{1, strides[0]}, []int{1, dil[0]}, []int{0, pads[0], 0, pads[1]}
	}
	return kernel.ConvShape{N: x[0], C: x[1], H: x[2], W: x[3], O: w[0], KH: w[2], KW: w[3],
		StrideH: strides[0], StrideW: strides[1], DilH: dil[0], DilW: dil[1],
		PadT: pads[0], PadL: pads[1], PadB: pads[2], PadR: pads[3], Groups: n.Int("group", 1)}, nil
}

func ones(list []int, n int) []int {
	for len(list) < n {
		list = append(list, 1)
	}
	return list
}

// pads are those of a window that slides over space, begins before ends.
func (b *builder) pads(in, k, strides, dil []int) []int {
	rank := len(in)
	pads := make([]int, 2*rank)
	switch auto := b.node.Str("auto_pad", "NOTSET"); auto {
	case "SAME_UPPER", "SAME_LOWER":
		for i := range rank {
			out := (in[i] + strides[i] - 1) / strides[i]
			total := max(0, (out-1)*strides[i]+(k[i]-1)*dil[i]+1-in[i])
			pads[i] = total / 2
			if auto == "SAME_LOWER" {
				pads[i] = total - total/2
			}
			pads[rank+i] = total - pads[i]
		}
	case "NOTSET", "":
		copy(pads, b.node.Ints("pads"))
	}
	return pads
}
