package grad

import (
	"math"

	"pare/kernel"
)

// Every loss returns its value and writes its gradient to dy, which is as long as the
// outputs and may not share memory with other operands. NaN or infinities in gives
// NaN or infinities out.

// CrossEntropy is the mean, over the rows of logits, classes numbers each, of
// -log softmax(row)[label]. Rows with a negative label do not count; labels are below
// classes.
func CrossEntropy(dy, logits []float32, classes int, labels []int) (mean float64) {
	return SmoothCrossEntropy(dy, logits, classes, labels, 0)
}

// SmoothCrossEntropy is CrossEntropy against labels that are right with 1-smoothing
// and any class with smoothing (0 to 1) in all [szegedy16, arXiv:1512.00567].
func SmoothCrossEntropy(dy, logits []float32, classes int, labels []int, smoothing float64) (mean float64) {
	counted := 0
	for _, l := range labels {
		if l >= 0 {
			counted++
		}
	}
	if counted == 0 {
		clear(dy)
		return 0
	}
	share := 1 / float64(counted)
	for i, label := range labels {
		d, row := dy[i*classes:(i+1)*classes], logits[i*classes:(i+1)*classes]
		if label < 0 {
			clear(d)
			continue
		}
		kernel.Softmax(d, row, classes)
		each := smoothing / float64(classes)
		loss := logSum(row, d) - (1-smoothing)*float64(row[label])
		if smoothing > 0 {
			loss -= each * sum64(row)
		}
		mean += share * loss
		d[label] -= float32(1 - smoothing)
		kernel.Affine(d, d, float32(share), float32(-share*each), -inf, inf)
	}
	return mean
}

var inf = float32(math.Inf(1))

// logSum is the logarithm of the sum of exponentials of a row, of which p is the
// softmax.
func logSum(row, p []float32) float64 {
	at := 0
	for k, v := range p {
		if !(v <= p[at]) {
			at = k
		}
	}
	return float64(row[at]) - math.Log(float64(p[at]))
}

func sum64(x []float32) (s float64) {
	for _, v := range x {
		s += float64(v)
	}
	return s
}

// KL is the mean, over rows of classes logits each, of the divergence of the student
// from the teacher, both softened by the temperature T > 0, times T², so that its
// gradients are about as large at any temperature [hinton15, arXiv:1503.02531]. The gradient is the
// student's.
func KL(dy, student, teacher []float32, classes int, temperature float64) (mean float64) {
	rows := len(student) / classes
	p, q := make([]float64, classes), make([]float64, classes)
	for i := range rows {
		s := student[i*classes : (i+1)*classes]
		logP := softened(p, teacher[i*classes:(i+1)*classes], temperature)
		logQ := softened(q, s, temperature)
		t := teacher[i*classes : (i+1)*classes]
		for k := range p {
			if p[k] > 0 {
				mean += p[k] * ((float64(t[k])/temperature - logP) - (float64(s[k])/temperature - logQ))
			}
			dy[i*classes+k] = float32(temperature / float64(rows) * (q[k] - p[k]))
		}
	}
	return mean * temperature * temperature / float64(rows)
}

// softened writes softmax(x/t) and returns the logarithm of the sum of e^(x/t).
func softened(p []float64, x []float32, t float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, float64(v)/t)
	}
	sum := 0.0
	for k, v := range x {
		p[k] = math.Exp(float64(v)/t - top)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return top + math.Log(sum)
}
