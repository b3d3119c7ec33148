package grad

import (
	"math"

	"pare/kernel"
)

// chunk is how many elements loops over outputs take at a time: they stay in the
// first cache.
const chunk = 1024

// MSE is the squared error, summed over channels and averaged over all the rest:
// Σ(y-target)² / (len(y)/channels), which is what reconstruction minimises (BRECQ,
// [li21, arXiv:2102.05426]). channels 1 gives the mean over all elements, len(y) the sum.
func MSE(dy, y, target []float32, channels int) float64 {
	scale := float64(channels) / float64(len(y))
	sum := 0.0
	eachChunk(len(y), func(i, j int) {
		d := dy[i:j]
		kernel.Sub.Run(d, y[i:j], target[i:j])
		kernel.Mul.Run(d, d, d)
		sum += float64(kernel.RowSum(d))
		kernel.Sub.Run(d, y[i:j], target[i:j])
		kernel.Mul.RunScalar(d, d, float32(2*scale))
	})
	return sum * scale
}

// FisherMSE is MSE with every squared error times the square of g, the gradient of
// the task's loss by that output: the diagonal of the Fisher information stands for
// the Hessian ([li21]).
func FisherMSE(dy, y, target, g []float32, channels int) float64 {
	scale := float64(channels) / float64(len(y))
	sum := 0.0
	eachChunk(len(y), func(i, j int) {
		d := dy[i:j]
		kernel.Sub.Run(d, y[i:j], target[i:j])
		kernel.Mul.Run(d, d, g[i:j])
		kernel.Mul.Run(d, d, d)
		sum += float64(kernel.RowSum(d))
		kernel.Sub.Run(d, y[i:j], target[i:j])
		kernel.Mul.Run(d, d, g[i:j])
		kernel.Mul.Run(d, d, g[i:j])
		kernel.Mul.RunScalar(d, d, float32(2*scale))
	})
	return sum * scale
}

// LP is |y-target|^p, p > 1, summed over channels and averaged over the rest like
// MSE. With p = 2.4 it is the loss that steps of activations are learned by in [li21].
func LP(dy, y, target []float32, p float64, channels int) float64 {
	scale := float64(channels) / float64(len(y))
	buf := make([]float32, min(chunk, len(y)))
	sum := 0.0
	eachChunk(len(y), func(i, j int) {
		d, b := dy[i:j], buf[:j-i]
		kernel.Sub.Run(b, y[i:j], target[i:j])
		powers(d, b, p-1)
		for k, v := range b {
			sum += math.Abs(float64(v) * float64(d[k]))
			d[k] = float32(scale * p * math.Copysign(float64(d[k]), float64(v)))
		}
	})
	return sum * scale
}

// Cosine is the mean of 1 - cos(y, target) over rows of size elements.
func Cosine(dy, y, target []float32, size int) (mean float64) {
	rows := len(y) / size
	for i := 0; i < len(y); i += size {
		a, b, d := y[i:i+size], target[i:i+size], dy[i:i+size]
		ab, aa, bb := 0.0, 0.0, 0.0
		for k, v := range a {
			x, t := float64(v), float64(b[k])
			ab += x * t
			aa += x * x
			bb += t * t
		}
		norm := max(math.Sqrt(aa*bb), tiny)
		cos, share := ab/norm, 1/float64(rows)
		mean += share * (1 - cos)
		for k, v := range a {
			d[k] = float32(-share * (float64(b[k])/norm - cos*float64(v)/max(aa, tiny)))
		}
	}
	return mean
}

// tiny keeps quotients of norms finite.
const tiny = 1e-30

func eachChunk(n int, f func(i, j int)) {
	for i := 0; i < n; i += chunk {
		f(i, min(i+chunk, n))
	}
}

// powers writes |x|^p, p > 0.
func powers(dst, x []float32, p float64) {
	q := float32(p)
	for i, v := range x {
		dst[i] = q * log32(v)
	}
	kernel.Exp.Run(dst, dst)
}

// log32 is log|x| within 2 ulp, -Inf for 0 and what is subnormal.
func log32(x float32) float32 {
	bits := math.Float32bits(x) &^ (1 << 31)
	if bits>>23 == 0 {
		return -inf
	}
	if bits>>23 == 255 {
		return math.Float32frombits(bits)
	}
	const half = 0x3f3504f3 // √½
	e := int32(bits-half) >> 23
	f := math.Float32frombits(bits-uint32(e)<<23) - 1
	// (log(1+f)-f+f²/2)/f³ for √½ <= 1+f <= √2.
	z := f * f
	s := (7.0376836292e-2*f-1.1514610310e-1)*z + (1.1676998740e-1*f - 1.2420140846e-1)
	s = s*z + (1.4249322787e-1*f - 1.6668057665e-1)
	s = s*z + (2.0000714765e-1*f - 2.4999993993e-1)
	s = s*f + 3.3333331174e-1
	n := float32(e)
	return f + (s*f*z + n*-2.12194440e-4 - 0.5*z) + n*0.693359375
}
