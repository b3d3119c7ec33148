package main

// addProduct adds the product of row-major matrices, a of m rows and k columns
// and b of k rows and n columns, to c. Sums run in the order of k.
func addProduct(c, a, b []float32, m, k, n int) {
	var i int
	for ; i+2 <= m; i += 2 {
		addRows(c[i*n:][:2*n], a[i*k:][:2*k], b, k, n)
	}
	for ; i < m; i++ {
		for p := range k {
			axpy(c[i*n:][:n], a[i*k+p], b[p*n:][:n])
		}
	}
}

// addRows is addProduct for two rows of c, four rows of b at a time: each
// element of b that is loaded serves twice, each of c four times.
func addRows(c, a, b []float32, k, n int) {
	c0, c1 := c[:n], c[n:][:n]
	var p int
	for ; p+4 <= k; p += 4 {
		u0, u1, u2, u3 := a[p], a[p+1], a[p+2], a[p+3]
		v0, v1, v2, v3 := a[k+p], a[k+p+1], a[k+p+2], a[k+p+3]
		b0, b1, b2, b3 := b[p*n:][:n], b[(p+1)*n:][:n], b[(p+2)*n:][:n], b[(p+3)*n:][:n]
		for j := range c0 {
			x0, x1, x2, x3 := b0[j], b1[j], b2[j], b3[j]
			// The conversions keep compilers from fusing: the same bits everywhere.
			c0[j] += float32(u0*x0) + float32(u1*x1) + float32(u2*x2) + float32(u3*x3)
			c1[j] += float32(v0*x0) + float32(v1*x1) + float32(v2*x2) + float32(v3*x3)
		}
	}
	for ; p < k; p++ {
		axpy(c0, a[p], b[p*n:][:n])
		axpy(c1, a[k+p], b[p*n:][:n])
	}
}

// axpy adds s times x to y.
func axpy(y []float32, s float32, x []float32) {
	for j := range y {
		y[j] += float32(s * x[j])
	}
}

// addDots adds the dot products of the m rows of a and the k rows of b, all n
// long, to c, of m rows and k columns.
func addDots(c, a, b []float32, m, k, n int) {
	for i := range m {
		x := a[i*n:][:n]
		var p int
		for ; p+4 <= k; p += 4 {
			y0, y1, y2, y3 := b[p*n:][:n], b[(p+1)*n:][:n], b[(p+2)*n:][:n], b[(p+3)*n:][:n]
			var s0, s1, s2, s3 float32
			for j, u := range x {
				s0 += float32(u * y0[j])
				s1 += float32(u * y1[j])
				s2 += float32(u * y2[j])
				s3 += float32(u * y3[j])
			}
			d := c[i*k+p:][:4]
			d[0], d[1], d[2], d[3] = d[0]+s0, d[1]+s1, d[2]+s2, d[3]+s3
		}
		for ; p < k; p++ {
			c[i*k+p] += dot(x, b[p*n:][:n])
		}
	}
}

func dot(x, y []float32) (s float32) {
	for j := range x {
		s += float32(x[j] * y[j])
	}
	return s
}

// transpose writes the transpose of a, of m rows and n columns, to dst.
func transpose(dst, a []float32, m, n int) {
	for i := range m {
		for j, x := range a[i*n:][:n] {
			dst[j*m+i] = x
		}
	}
}
