package pass_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/ir"
	"pare/pass"
)

// sketch writes random graphs of layers, batch-norms and what lies between.
type sketch struct {
	r      *rand.Rand
	text   strings.Builder
	values []sketched
	unread map[string]bool
	count  int
}

type sketched struct {
	name     string
	channels int
}

func (s *sketch) add(channels int, operands []string, format func(y string) string) {
	y := fmt.Sprintf("v%d", s.count)
	s.count++
	s.text.WriteString("\n" + format(y))
	for _, x := range operands {
		delete(s.unread, x)
	}
	s.unread[y] = true
	s.values = append(s.values, sketched{y, channels})
}

// pick prefers recent values, so that graphs grow deep.
func (s *sketch) pick() sketched {
	n := len(s.values)
	return s.values[n-1-s.r.IntN(min(n, 4))]
}

func (s *sketch) step() {
	a, b := s.pick(), s.pick()
	one := func(op string) {
		s.add(a.channels, []string{a.name}, func(y string) string { return fmt.Sprintf("%s = %s(%s)", y, op, a.name) })
	}
	switch s.r.IntN(14) {
	case 0, 1:
		s.add(4, []string{a.name}, func(y string) string { return conv(y, a.name, 4, a.channels, 1, "") })
	case 2:
		s.add(2, []string{a.name}, func(y string) string { return biased(y, a.name, 2, a.channels, 3, "pads=[1, 1, 1, 1]") })
	case 3:
		s.add(a.channels, []string{a.name}, func(y string) string { return conv(y, a.name, a.channels, 1, 1, fmt.Sprintf("group=%d", a.channels)) })
	case 4, 5, 6:
		s.add(a.channels, []string{a.name}, func(y string) string { return bn(y, a.name, a.channels) })
	case 7:
		one("Relu")
	case 8:
		s.add(a.channels, []string{a.name}, func(y string) string {
			return fmt.Sprintf("%s = AveragePool(%s) {kernel_shape=[3, 3], pads=[1, 1, 1, 1]}", y, a.name)
		})
	case 9, 10:
		if a.channels == b.channels {
			op := []string{"Add", "Sum", "Sub"}[s.r.IntN(3)]
			if a == b {
				op = "Add"
			}
			s.add(a.channels, []string{a.name, b.name}, func(y string) string { return fmt.Sprintf("%s = %s(%s, %s)", y, op, a.name, b.name) })
		}
	case 11:
		if a.channels+b.channels <= 8 {
			s.add(a.channels+b.channels, []string{a.name, b.name}, func(y string) string {
				return fmt.Sprintf("%s = Concat(%s, %s) {axis=1}", y, a.name, b.name)
			})
		}
	case 12:
		s.add(a.channels, []string{a.name}, func(y string) string {
			return fmt.Sprintf("const k%s = f32[%d,1,1]{*0.0}\n%s = Add(k%[1]s, %[4]s)", y, a.channels, y, a.name)
		})
	case 13:
		if a.channels%2 > 0 {
			return
		}
		s.add(a.channels/2, []string{a.name}, func(y string) string {
			return fmt.Sprintf("%s, rest%s = Split(%s) {axis=1}", y, y, a.name)
		})
	}
}

func randomGraph(seed uint64) string {
	s := &sketch{r: rand.New(rand.NewPCG(seed, 99)), unread: map[string]bool{}, values: []sketched{{"x", 4}}}
	for range 14 {
		s.step()
	}
	var outputs []string
	for i := range s.count {
		if y := fmt.Sprintf("v%d", i); s.unread[y] {
			outputs = append(outputs, y)
		}
	}
	return fmt.Sprintf("opset 17\ngraph g(x f32[N,4,4,4]) -> (%s) {%s\n}", strings.Join(outputs, ", "), s.text.String())
}

// TestFoldRandom folds random graphs and compares results.
func TestFoldRandom(t *testing.T) {
	total, folded, both := 0, 0, 0
	for seed := range uint64(300) {
		src := randomGraph(seed)
		if strings.Contains(src, "-> ()") {
			continue
		}
		m, err := ir.Parse(strings.NewReader(src))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, src)
		}
		fillRandom(m, seed)
		_, rep := foldWithin(t, m, pass.FoldOptions{}, 1e-4)
		total, folded = total+rep.Total, folded+rep.Folded
		_, rep = foldWithin(t, m, pass.FoldOptions{BothRoles: true}, 1e-4)
		both += rep.Folded
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if folded < total/4 || both < folded {
		t.Errorf("%d of %d batch-norms fold, %d with layers in both roles", folded, total, both)
	}
	t.Logf("%d of %d batch-norms fold, %d with layers in both roles", folded, total, both)
}
