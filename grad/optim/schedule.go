package optim

import (
	"fmt"
	"math"
	"strings"
)

// Schedule is the share of the full rate at a step, counted from 0, of so many.
type Schedule func(step, steps int) float64

// Constant keeps the full rate.
func Constant(_, _ int) float64 { return 1 }

// Linear falls from the full rate at the first step towards zero behind the last.
func Linear(step, steps int) float64 { return 1 - at(step, steps) }

// Cosine falls along half a cosine from the full rate at the first step towards zero
// behind the last [loshchilov17].
func Cosine(step, steps int) float64 { return (1 + math.Cos(math.Pi*at(step, steps))) / 2 }

// at is how far a step is, in [0, 1].
func at(step, steps int) float64 {
	if steps <= 0 {
		return 0
	}
	return min(max(float64(step)/float64(steps), 0), 1)
}

// MultiStep multiplies the rate by factor where each share of the steps has gone by,
// such as 0.5 and 0.75.
func MultiStep(factor float64, shares ...float64) Schedule {
	return func(step, steps int) float64 {
		r := 1.0
		for _, s := range shares {
			if float64(step) >= s*float64(steps) {
				r *= factor
			}
		}
		return r
	}
}

// WarmUp rises evenly to the full rate over a share of the steps and then follows s
// over the others.
func WarmUp(share float64, s Schedule) Schedule {
	return func(step, steps int) float64 {
		warm := int(share * float64(steps))
		if step < warm {
			return float64(step+1) / float64(warm)
		}
		return s(step-warm, steps-warm)
	}
}

// schedules are those that have a name.
var schedules = []struct {
	name string
	s    Schedule
}{
	{"cosine", Cosine},
	{"constant", Constant},
	{"linear", Linear},
	{"steps", MultiStep(0.1, 0.5, 0.75)},
}

// ScheduleNames lists the schedules that FindSchedule knows.
func ScheduleNames() []string {
	var out []string
	for _, s := range schedules {
		out = append(out, s.name)
	}
	return out
}

// FindSchedule returns a schedule by its name, one of ScheduleNames; "steps" divides
// the rate by ten after half and after three quarters of the steps.
func FindSchedule(name string) (Schedule, error) {
	for _, s := range schedules {
		if s.name == name {
			return s.s, nil
		}
	}
	return nil, fmt.Errorf("schedule %q is none of %s", name, strings.Join(ScheduleNames(), ", "))
}
