package kernel

import "pare/internal/cpu"

// impl is a row of a table of loops that share one signature.
type impl[F any] struct {
	name  string
	needs cpu.Features
	run   F
}

// pick returns the first loop that may run; tables end with one that needs
// nothing.
func pick[F any](rows []impl[F]) F {
	have := cpu.Have()
	for i := range rows {
		if have&rows[i].needs == rows[i].needs {
			return rows[i].run
		}
	}
	panic("kernel: no portable row")
}

func list[F any](family string, rows []impl[F]) []Row {
	var out []Row
	for _, r := range rows {
		out = append(out, Row{family, r.name, r.needs, cpu.Has(r.needs)})
	}
	return out
}
