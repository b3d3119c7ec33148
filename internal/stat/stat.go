// Package stat has the few statistics that measurements are reported with.
package stat

import (
	"math"
	"slices"
)

// Median is the middle value, the mean of the two middle ones of an even
// number; NaN of none.
func Median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// MedianInterval is a 95 % confidence interval of the median that assumes
// nothing about the distribution: two order statistics chosen by the binomial
// distribution. Of fewer than six values it is their range.
func MedianInterval(x []float64) [2]float64 {
	if len(x) == 0 {
		return [2]float64{math.NaN(), math.NaN()}
	}
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	// The largest k with P(fewer than k+1 of n values below the median) <= 2.5 %.
	p, sum, k := math.Pow(0.5, float64(n)), 0.0, 0
	if p == 0 { // beyond a thousand values the normal approximation is exact enough
		k = int(float64(n)/2 - 1.96*math.Sqrt(float64(n))/2)
		return [2]float64{s[k], s[n-1-k]}
	}
	for i := 0; i <= n/2; i++ {
		sum += p
		if sum > 0.025 {
			break
		}
		k = i + 1
		p *= float64(n-i) / float64(i+1)
	}
	k = max(k-1, 0)
	return [2]float64{s[k], s[n-1-k]}
}
