package main

import "pare/internal/stat"

// spot is what a curve has at one amount: the mean over its seeds.
type spot struct {
	point           string
	accuracy        float64     // 0 where the data have no classes
	interval        *[2]float64 // of the accuracy with 95 %; of several seeds their range
	agreement, snr  float64
	params, macs    float64 // shares of the whole network's
	multiplications float64
	additions       float64
	bytes           float64
	time            *float64    // share of the original's; nil where not timed
	timeInterval    *[2]float64 // with 95 %; nil for several seeds
	seconds         float64     // of compression
	rows            []*row
}

// spots are those of a curve that have figures.
func (c curve) spots(rows []row, network string) []spot {
	base := find(rows, network, whole)
	if base == nil || base.Costs == nil {
		return nil
	}
	var out []spot
	for _, p := range c.at(network) {
		var found []*row
		for s := range max(1, c.seeds) {
			if r := find(rows, network, c.column(p, s)); r != nil && r.Error == "" && r.Costs != nil {
				found = append(found, r)
			}
		}
		if len(found) > 0 {
			out = append(out, newSpot(p, found, base))
		}
	}
	return out
}

func newSpot(point string, rows []*row, base *row) spot {
	n, out := float64(len(rows)), spot{point: point, rows: rows}
	var times []float64
	for _, r := range rows {
		out.agreement += r.Agreement / n
		out.snr += r.SNR / n
		out.seconds += r.Seconds / n
		out.params += share(r.Costs.Params, base.Costs.Params) / n
		out.macs += share(r.Costs.MACs, base.Costs.MACs) / n
		out.multiplications += share(r.Costs.Multiplications, base.Costs.Multiplications) / n
		out.additions += share(r.Costs.Additions, base.Costs.Additions) / n
		out.bytes += share(r.Costs.Bytes, base.Costs.Bytes) / n
		if r.Top1 != nil {
			out.accuracy += *r.Top1 / n
			out.widen(r)
		}
		if r.Time != nil {
			times = append(times, 1/r.Time.Ratio)
		}
	}
	if len(rows) == 1 {
		out.interval = rows[0].Interval
	}
	out.timed(times)
	return out
}

// widen makes the interval hold a seed's accuracy.
func (s *spot) widen(r *row) {
	if s.interval == nil {
		s.interval = &[2]float64{*r.Top1, *r.Top1}
	}
	s.interval[0], s.interval[1] = min(s.interval[0], *r.Top1), max(s.interval[1], *r.Top1)
}

// timed takes the shares of the original's time, one for each seed that has it.
func (s *spot) timed(shares []float64) {
	if len(shares) == 0 {
		return
	}
	mid := stat.Median(shares)
	s.time = &mid
	if len(s.rows) == 1 {
		i := s.rows[0].Time.Interval
		s.timeInterval = &[2]float64{1 / i[1], 1 / i[0]}
	}
}

// share is part over all, 1 where there is nothing.
func share(part, all int64) float64 {
	if all == 0 {
		return 1
	}
	return float64(part) / float64(all)
}
