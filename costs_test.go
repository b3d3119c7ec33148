package pare_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pare"
)

// layered has a layer of every kind that is timed, two of one shape, and one that
// is not.
const layered = `opset 18
graph layered(x f32[1,8,12,12]) -> (y) {
	const a = f32[16,8,3,3]{*0.0625}
	const b = f32[16,16,3,3]{*0.0625}
	const c = f32[16,16,3,3]{*0.125}
	const d = f32[16,1,3,3]{*0.0625}
	const e = f32[16,4,2,2]{*0.0625}
	const f = f32[4,10]{*0.0625}
	p = Conv(x, a) {pads=[1,1,1,1]} @first
	q = Conv(p, b) {pads=[1,1,1,1]} @second
	r = Conv(q, c) {pads=[1,1,1,1]} @third
	s = Conv(r, d) {pads=[1,1,1,1], group=16} @depthwise
	t = ConvTranspose(s, e) @up
	u = GlobalAveragePool(t)
	v = Flatten(u)
	y = MatMul(v, f) @dense
}`

func TestCosts(t *testing.T) {
	ctx, file := context.Background(), filepath.Join(t.TempDir(), "deep", "costs.json")
	costs := func(o pare.CostOptions) *pare.Costs {
		t.Helper()
		o.Cache = file
		out, err := parse(t, layered).Costs(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	expect := func(d *pare.Costs, measured, cached, notes int) {
		t.Helper()
		if d.Measured != measured || d.Cached != cached || len(d.Notes) != notes {
			t.Errorf("%d measured, %d cached, notes %q; want %d, %d and %d", d.Measured, d.Cached, d.Notes, measured, cached, notes)
		}
	}
	two := pare.CostOptions{Threads: 1, Formats: []string{"float", "w8a8"}}
	first := costs(two)
	expect(first, 8, 2, 0) // two layers have one shape
	for _, l := range first.Layers {
		if l.Name == "up" {
			if l.Reason == "" || len(l.MS) > 0 {
				t.Errorf("up: %+v", l)
			}
		} else if !(l.MS["float"] > 0 && l.MS["w8a8"] > 0) {
			t.Errorf("%+v", l)
		}
	}
	again := costs(two)
	expect(again, 0, 10, 0)
	for i, l := range again.Layers {
		if l.MS["w8a8"] != first.Layers[i].MS["w8a8"] {
			t.Errorf("%s took %v ms, the file says %v", l.Name, first.Layers[i].MS, l.MS)
		}
	}
	expect(costs(pare.CostOptions{Threads: 2, Formats: []string{"float"}}), 4, 1, 0)
	expect(costs(pare.CostOptions{Threads: 1, Batch: 2, Formats: []string{"float"}}), 0, 5, 0) // its batch is fixed
	expect(costs(pare.CostOptions{Threads: 1, Formats: []string{"powerquant(w=4,a=8)"}}), 4, 1, 0)
	for _, bad := range []string{"", "{", `{"version": 9}`, `{"version": 1, "times": {"m": {"k": -1}}}`} {
		if err := os.WriteFile(file, []byte(bad), 0o666); err != nil {
			t.Fatal(err)
		}
		expect(costs(two), 8, 2, 1)
		expect(costs(two), 0, 10, 0)
	}
	foreign := []byte("\x08\x0a a network")
	if err := os.WriteFile(file, foreign, 0o666); err != nil {
		t.Fatal(err)
	}
	expect(costs(two), 8, 2, 1)
	if got, err := os.ReadFile(file); err != nil || string(got) != string(foreign) {
		t.Errorf("somebody else's file became %q, %v", got, err)
	}
}

func TestCostsOfUnknownFormat(t *testing.T) {
	_, err := parse(t, layered).Costs(context.Background(), pare.CostOptions{Cache: "-", Formats: []string{"w99"}})
	if err == nil || !strings.Contains(err.Error(), "w99") || !strings.Contains(err.Error(), "first") {
		t.Errorf("got %v", err)
	}
}
