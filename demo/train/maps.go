package main

// maps are the feature maps of a batch in NCHW order; h and w are 1 for plain
// vectors.
type maps struct {
	n, c, h, w int
	v          []float32
}

// sized returns m with a new shape, its memory reused where it suffices. The
// contents are undefined.
func (m *maps) sized(n, c, h, w int) *maps {
	m.n, m.c, m.h, m.w = n, c, h, w
	if size := n * c * h * w; cap(m.v) < size {
		m.v = make([]float32, size)
	} else {
		m.v = m.v[:size]
	}
	return m
}

// like gives m the shape of x.
func (m *maps) like(x *maps) *maps { return m.sized(x.n, x.c, x.h, x.w) }

// image is the data of image i: c planes of h rows.
func (m *maps) image(i int) []float32 {
	size := m.c * m.h * m.w
	return m.v[i*size : (i+1)*size]
}

// plane is channel c of image i.
func (m *maps) plane(i, c int) []float32 {
	size := m.h * m.w
	at := (i*m.c + c) * size
	return m.v[at : at+size]
}
