package decompose

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// sumOfProducts approximates weights x of shape [out, in, taps] by a sum over
// ranks of out[o] in[i] taps[t].
type sumOfProducts struct {
	shape   [3]int
	by      [3]*mat.Dense // x unfolded along each axis
	factors [3]*mat.Dense // a column for each rank
	total   float64       // energy of x
	rest    float64       // of what is left of it
}

func newSum(s *site) *sumOfProducts {
	x, taps := s.white(), s.tapCount()
	p := &sumOfProducts{shape: [3]int{s.out, s.in, taps}, total: energyOf(x)}
	if !(p.total > 0) || math.IsInf(p.total, 0) {
		return nil
	}
	p.rest = p.total
	flat := general(s.out*s.in, taps, x)
	p.by = [3]*mat.Dense{general(s.out, s.in*taps, x), byChannel(x, s.out, s.in, taps), mat.DenseCopyOf(flat.T())}
	return p
}

// How the least squares alternate.
const (
	leastSquaresRounds = 30
	leastSquaresGain   = 1e-4 // of the energy of the weights
	leastSquaresRidge  = 1e-4 // of the mean energy of a rank: keeps ranks from growing against each other
	leastSquaresWork   = 4e9  // multiply-accumulates that bound the rounds
)

// fit returns the sum with more ranks, which start at random, fitted anew.
func (p *sumOfProducts) fit(rank int) *sumOfProducts {
	q := *p
	r := rand.New(rand.NewPCG(uint64(rank), uint64(p.shape[0]*p.shape[1])))
	for k, rows := range p.shape {
		q.factors[k] = mat.NewDense(rows, rank, nil)
		for i := range rows {
			for j := range rank {
				if p.factors[k] != nil && j < p.factors[k].RawMatrix().Cols {
					q.factors[k].Set(i, j, p.factors[k].At(i, j))
				} else {
					q.factors[k].Set(i, j, r.NormFloat64()/math.Sqrt(float64(rows)))
				}
			}
		}
	}
	each := 3 * float64(p.shape[0]) * float64(p.shape[1]) * float64(p.shape[2]) * float64(rank)
	rounds := min(leastSquaresRounds, max(4, int(leastSquaresWork/each)))
	for range rounds {
		before := q.rest
		for k := range q.factors {
			if !q.solve(k) {
				q.rest = math.NaN()
				return &q
			}
		}
		if before-q.rest < leastSquaresGain*q.total && before >= q.rest {
			break
		}
	}
	return &q
}

// solve fits the factor of one axis to those of the others, which have columns of
// unit length; false where that cannot be done.
func (p *sumOfProducts) solve(k int) bool {
	a, b := p.others(k)
	p.normalise(a)
	p.normalise(b)
	products := khatriRao(p.factors[a], p.factors[b])
	var right, gram, other mat.Dense
	right.Mul(p.by[k], products)
	gram.Mul(p.factors[a].T(), p.factors[a]) // with other that of the products
	other.Mul(p.factors[b].T(), p.factors[b])
	gram.MulElem(&gram, &other)
	rank, _ := gram.Dims()
	normal := mat.NewSymDense(rank, nil)
	for i := range rank {
		for j := i; j < rank; j++ {
			normal.SetSym(i, j, gram.At(i, j))
		}
		normal.SetSym(i, i, gram.At(i, i)+leastSquaresRidge)
	}
	var c mat.Cholesky
	if !c.Factorize(normal) {
		return false
	}
	var solved mat.Dense
	if c.SolveTo(&solved, right.T()) != nil {
		return false
	}
	p.factors[k] = mat.DenseCopyOf(solved.T())
	var product mat.Dense
	product.Mul(&gram, &solved)
	p.rest = p.total
	for i := range rank {
		for j := range p.shape[k] {
			p.rest += solved.At(i, j) * (product.At(i, j) - 2*right.At(j, i))
		}
	}
	return true
}

// others are the axes that the columns of x unfolded along axis k run over.
func (p *sumOfProducts) others(k int) (a, b int) {
	return [3]int{1, 0, 0}[k], [3]int{2, 2, 1}[k]
}

// normalise gives the columns of a factor unit length.
func (p *sumOfProducts) normalise(k int) {
	f := p.factors[k]
	rows, rank := f.Dims()
	for j := range rank {
		n := mat.Norm(f.ColView(j), 2)
		if n == 0 {
			f.Set(0, j, 1)
			continue
		}
		for i := range rows {
			f.Set(i, j, f.At(i, j)/n)
		}
	}
}

// khatriRao has the products of the columns of a and b as columns.
func khatriRao(a, b *mat.Dense) *mat.Dense {
	rows, rank := a.Dims()
	cols, _ := b.Dims()
	out := mat.NewDense(rows*cols, rank, nil)
	for i := range rows {
		x := a.RawRowView(i)
		for j := range cols {
			y, to := b.RawRowView(j), out.RawRowView(i*cols+j)
			for k := range to {
				to[k] = x[k] * y[k]
			}
		}
	}
	return out
}

// lost is the share of the energy that is left.
func (p *sumOfProducts) lost() float64 { return max(0, p.rest/p.total) }

// mostGrowth bounds the energy of single products relative to that of the weights:
// beyond, they are large numbers that cancel each other.
const mostGrowth = 100

// sound reports whether the fit is of use.
func (p *sumOfProducts) sound() bool {
	if !(p.rest >= -1e-9*p.total) || p.rest >= p.total {
		return false
	}
	rank, energy := p.factors[0].RawMatrix().Cols, 0.0
	for j := range rank {
		e := 1.0
		for _, f := range p.factors {
			n := mat.Norm(f.ColView(j), 2)
			e *= n * n
		}
		energy += e
	}
	return energy < mostGrowth*p.total
}

// chain is the layer as that sum.
func (p *sumOfProducts) chain(s *site) *chain {
	plain := ones(len(s.taps))
	middle := newLink(p.factors[2].T(), "filters", s.taps, s.axes())
	rank := middle.shape[0]
	middle.group = rank
	c := s.newChain([]link{
		newLink(p.factors[1].T(), "reduce", plain, nil), middle, newLink(p.factors[0], "", plain, nil),
	})
	c.lost = p.lost()
	return c
}
