package prune

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/group"
	"pare/ir"
	"pare/op"
	"pare/pass"
)

// blocked is a residual block with batch-norms behind a convolution, behind a
// depthwise one with a bias and behind the last, of 4 and 6 channels.
func blocked(t *testing.T) *ir.Model {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 9))
	var text strings.Builder
	text.WriteString("ir_version 8\nopset 18\ngraph g(x f32[N,3,6,6]) -> (y) {\n")
	constant := func(name string, shift, scale float64, shape ...int) {
		var list []string
		n := 1
		for _, d := range shape {
			n *= d
		}
		for range n {
			list = append(list, fmt.Sprint(float32(shift+scale*r.NormFloat64())))
		}
		fmt.Fprintf(&text, "  const %s = f32[%s]{%s}\n", name, strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ","), "[]"), strings.Join(list, ", "))
	}
	constant("a", 0, 0.4, 4, 3, 3, 3)
	constant("b", 0, 0.5, 6, 4, 1, 1)
	constant("bb", 0, 0.3, 6)
	constant("d", 0, 0.5, 6, 1, 3, 3)
	constant("db", 0, 0.3, 6)
	constant("c", 0, 0.5, 4, 6, 1, 1)
	constant("f", 0, 0.7, 4, 5)
	constant("fb", 0, 0.3, 5)
	for i, n := range []int{4, 6, 6, 4} {
		constant(fmt.Sprintf("g%d", i), 1, 0.2, n)
		constant(fmt.Sprintf("h%d", i), 0.1, 0.3, n)
		constant(fmt.Sprintf("m%d", i), 0, 0.3, n)
		constant(fmt.Sprintf("v%d", i), 1, 0.1, n)
	}
	text.WriteString(`  p = Conv(x, a) {pads=[1, 1, 1, 1]}
  pn = BatchNormalization(p, g0, h0, m0, v0)
  pr = Relu(pn)
  q = Conv(pr, b, bb)
  qn = BatchNormalization(q, g1, h1, m1, v1)
  qr = Relu(qn)
  s = Conv(qr, d, db) {pads=[1, 1, 1, 1], group=6}
  sn = BatchNormalization(s, g2, h2, m2, v2)
  sr = Relu(sn)
  u = Conv(sr, c)
  un = BatchNormalization(u, g3, h3, m3, v3)
  w = Add(un, pr)
  wr = Relu(w)
  z = GlobalAveragePool(wr)
  zf = Flatten(z)
  zm = MatMul(zf, f)
  y = Add(zm, fb)
}
`)
	m, err := ir.Parse(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFoldedScores: scores do not depend on whether batch-norms are folded.
func TestFoldedScores(t *testing.T) {
	for _, name := range []string{"singe", "gradient-weight", "taylor"} {
		var all [2]map[string][]float64
		for i, fold := range []bool{false, true} {
			m := blocked(t)
			env := taught(t, m, 5)
			if fold {
				if _, err := pass.FoldBatchNorms(context.Background(), m); err != nil {
					t.Fatal(err)
				}
				if _, err := op.Infer(m); err != nil {
					t.Fatal(err)
				}
			}
			all[i] = map[string][]float64{}
			r := &ranking{env: env, name: name, Sampling: Sampling{Norm: 2, Batches: 2, Batch: 4, Aim: "labels", Temperature: 1}, Journey: usualJourney}
			if err := r.prepare(context.Background(), m, env); err != nil {
				t.Fatal(err)
			}
			a := group.Analyse(m, group.Removing)
			for _, grp := range a.Groups {
				if grp.Pinned() {
					continue
				}
				scores, why, err := r.of(m)(context.Background(), a, grp)
				if err != nil || why != "" {
					t.Fatal(err, why)
				}
				all[i][grp.ID] = scores
			}
		}
		if len(all[0]) != 2 {
			t.Fatalf("groups %v", all[0])
		}
		for id, scores := range all[0] {
			for k, s := range scores {
				if f := all[1][id][k]; math.Abs(s-f) > 1e-3*math.Abs(s)+1e-9 {
					t.Errorf("%s: unit %d of %q has %.6g, %.6g with batch-norms folded", name, k, id, s, f)
				}
			}
		}
	}
}
