package main

import (
	"math/rand/v2"
	"slices"
)

// threshold is the difference, in points of agreement, below which a choice is as
// good as another.
const threshold = 0.2

// paired are the differences of a choice to the usual one, each of the same network,
// widths and seed.
type paired struct {
	agreement, snr []float64 // in points and decibels
	cost           []float64 // seconds over the usual ones, of the same machine
	failed         int
}

// pairsOf pairs the rows of a choice with those of the usual one of its axis; network and widths
// choose some, "" and nil all.
func pairsOf(rows []row, a axis, c choice, network string, widths []pair) paired {
	var out paired
	for _, n := range practiceNetworks() {
		if network != "" && n.name != network {
			continue
		}
		for _, p := range widths {
			for seed := range practiceSeeds {
				out.add(find(rows, n.name, a.column(c, p, seed)), find(rows, n.name, a.column(usually, p, seed)))
			}
		}
	}
	return out
}

func (p *paired) add(ours, base *row) {
	switch {
	case ours == nil || base == nil || base.Error != "":
		return
	case ours.Error != "":
		p.failed++
		return
	}
	p.agreement = append(p.agreement, 100*(ours.Agreement-base.Agreement))
	p.snr = append(p.snr, ours.SNR-base.SNR)
	if ours.Machine == base.Machine && base.Seconds > 0 {
		p.cost = append(p.cost, ours.Seconds/base.Seconds)
	}
}

// positive counts the pairs in which the choice is better.
func (p *paired) positive() int {
	n := 0
	for _, d := range p.agreement {
		if d > 0 {
			n++
		}
	}
	return n
}

// verdict says whether a choice matters.
func (p *paired) verdict() string {
	m, i := mean(p.agreement), bootstrap(p.agreement)
	switch {
	case len(p.agreement) < 2:
		return undecided
	case (i[0] > 0 || i[1] < 0) && max(m, -m) >= threshold:
		return matters
	case i[0] >= -threshold && i[1] <= threshold:
		return robust
	}
	return undecided
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(1, len(x)))
}

// resamples of an interval.
const resamples = 10000

// bootstrap is a 95 % interval of the mean: values are drawn anew from those given,
// always the same ones.
func bootstrap(x []float64) [2]float64 {
	if len(x) == 0 {
		return [2]float64{}
	}
	r, means := rand.New(rand.NewPCG(1, 2)), make([]float64, resamples)
	for i := range means {
		for range x {
			means[i] += x[r.IntN(len(x))]
		}
		means[i] /= float64(len(x))
	}
	slices.Sort(means)
	return [2]float64{means[resamples*25/1000], means[resamples*975/1000-1]}
}
