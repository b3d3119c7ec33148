package engine

import (
	"fmt"
	"strings"
	"sync"

	"pare/kernel"
)

// intWinograd plans a step in Winograd's form, where that is faster and holds its
// sums; else there is neither a plan nor an error.
func (b *builder) intWinograd(st *step, p *intStep, w *intWork) (intPlan, error) {
	s, zero := w.shape, uint8(w.x.zero)
	if b.p.o.Direct || p.w.further() > 0 || kernel.IntWinogradTile(s, kernel.IntSizes{Largest: 128}) == 0 {
		return nil, nil
	}
	values := sync.OnceValue(p.w.values)
	sizes := formOf(b.p.weights, weightKey{t: p.w.t, form: fmt.Sprint("int sizes ", p.w.axis)}, func() (kernel.IntSizes, error) {
		return kernel.IntSizesOf(s.O, values()), nil
	})
	if err := sizes.done(); err != nil {
		return nil, err
	}
	m := kernel.IntWinogradTile(s, sizes.x)
	if m == 0 {
		return nil, nil
	}
	weights := formOf(b.p.weights, weightKey{t: p.w.t, form: fmt.Sprint("int winograd ", m, p.w.axis, zero)}, func() (*kernel.IntWinogradWeights, error) {
		defer p.w.e.Codes.Forget()
		return kernel.PackIntWinograd(s, m, values(), zero)
	})
	if err := weights.done(); err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(st.kernel, "3x3")
	st.kernel = fmt.Sprintf("int winograd %dx%d%s", m, m, rest)
	return kernel.NewIntWinograd(s, weights.x)
}
