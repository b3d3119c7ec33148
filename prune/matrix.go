package prune

import (
	"context"
	"math"

	"pare/calib"
	"pare/internal/par"
	"pare/ir"
	"pare/tensor"
)

// product is aᵀb of matrices with n rows, of float32 sums, worked out by run.
func product(ctx context.Context, run calib.NewRunner, a, b []float32, n int) ([]float32, error) {
	p, q := len(a)/n, len(b)/n
	g := &ir.Graph{Name: "product"}
	input := func(name string, rows, cols int) *ir.Value {
		v := &ir.Value{Name: name, Type: ir.TensorType(tensor.Float32, ir.Known(rows), ir.Known(cols)), Declared: true}
		g.Inputs = append(g.Inputs, v)
		return v
	}
	x, y := input("a", p, n), input("b", n, q)
	out := &ir.Value{Name: "c"}
	g.Nodes = []*ir.Node{{Name: "c", Op: "MatMul", In: []*ir.Value{x, y}, Out: []*ir.Value{out}}}
	g.Outputs = []*ir.Value{out}
	g.Bind()
	r, err := run(&ir.Model{Graph: g, Opsets: []ir.Opset{{Version: 13}}, IRVersion: 8}, g.Outputs)
	if err != nil {
		return nil, err
	}
	got, err := r.Run(ctx, map[string]*tensor.Tensor{"a": tensor.Of([]int{p, n}, transposed(a, n, p)), "b": tensor.Of([]int{n, q}, b)})
	if err != nil {
		return nil, err
	}
	return tensor.Float32s(got[0]), nil
}

func transposed(a []float32, rows, cols int) []float32 {
	out := make([]float32, len(a))
	for i := range rows {
		for j, v := range a[i*cols:][:cols] {
			out[j*rows+i] = v
		}
	}
	return out
}

// cholesky replaces the lower half of the symmetric n×n matrix a by L with LLᵀ = a.
// Pivots below least become it: directions that nothing varies in.
func cholesky(a []float64, n int, least float64, threads int) {
	for j := range n {
		row := a[j*n:][:n]
		pivot := math.Sqrt(max(row[j]-dot(row[:j], row[:j]), least))
		row[j] = pivot
		const chunk = 32
		par.Each((n-j-1+chunk-1)/chunk, parallel(threads, j*(n-j)), func(k int) {
			for i := j + 1 + k*chunk; i < min(j+1+(k+1)*chunk, n); i++ {
				below := a[i*n:][:n]
				below[j] = (below[j] - dot(below[:j], row[:j])) / pivot
			}
		})
	}
}

// parallel is 1 where work is too little to share.
func parallel(threads, work int) int {
	if work < 1<<16 {
		return 1
	}
	return threads
}

func dot[T float32 | float64](a, b []T) T {
	var s0, s1, s2, s3 T
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return s0 + s1 + s2 + s3
}

// solve replaces b by x with LLᵀx = b.
func solve(l []float64, n int, b []float64) {
	for i := range n {
		b[i] = (b[i] - dot(l[i*n:][:i], b[:i])) / l[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		v := b[i] / l[i*n+i]
		b[i] = v
		for j, w := range l[i*n:][:i] {
			b[j] -= w * v
		}
	}
}

// eachRow calls f for every one of n rows.
func eachRow(n, threads int, f func(r int)) { par.Each(n, threads, f) }

// invert replaces the Cholesky factor in the lower half of l by the inverse of the
// matrix.
func invert(l []float64, n, threads int) {
	inv := make([]float64, n*n) // rows of L⁻¹
	par.Each(n, threads, func(j int) {
		col := inv[j*n:][:n] // column j of L⁻¹
		col[j] = 1 / l[j*n+j]
		for i := j + 1; i < n; i++ {
			col[i] = -dot(l[i*n+j:i*n+i], col[j:i]) / l[i*n+i]
		}
	})
	par.Each(n, threads, func(i int) {
		for j := range i + 1 {
			l[i*n+j] = dot(inv[i*n+i:(i+1)*n], inv[j*n+i:(j+1)*n])
		}
	})
	for i := range n {
		for j := range i {
			l[j*n+i] = l[i*n+j]
		}
	}
}
