package sense

import "pare/eval"

// correlate compares the estimates with what was measured.
func (r *Result) correlate() {
	r.Correlation = r.correlations(func(l *Layer) *float64 { return &l.Loss })
	if r.Loss == Labels {
		c := r.correlations(func(l *Layer) *float64 { return l.Divergence })
		r.Divergence = &c
	}
}

// correlations are those of all estimates with a measure.
func (r *Result) correlations(with func(l *Layer) *float64) Correlation {
	of := func(estimate func(l *Layer) *float64) *float64 {
		var x, y []float64
		for i := range r.Layers {
			v := estimate(&r.Layers[i])
			if v == nil {
				return nil
			}
			x, y = append(x, *v), append(y, *with(&r.Layers[i]))
		}
		if c := eval.Spearman(x, y); c-c == 0 {
			return &c
		}
		return nil
	}
	return Correlation{
		Fisher:      of(func(l *Layer) *float64 { return l.Fisher }),
		Gradient:    of(func(l *Layer) *float64 { return l.Gradient }),
		SInGE:       of(func(l *Layer) *float64 { return l.SInGE }),
		WeightError: of(func(l *Layer) *float64 { return &l.WeightError }),
	}
}
