package prune

import (
	"math"
	"strings"
	"testing"
)

// TestAmounts: at most one is given, and none removes everything.
func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		a    Amount
		want string // part of the error, "" for none
	}{
		{Free, ""},
		{Amount{Rate: 0.5, MACs: 1, Params: 1}, ""},
		{Amount{MACs: 0.5, Params: 1}, ""},
		{Amount{MACs: 1, Params: 0.01}, ""},
		{Amount{Rate: 1, MACs: 1, Params: 1}, "pruned to nothing"},
		{Amount{Rate: -0.1, MACs: 1, Params: 1}, "rate=-0.1"},
		{Amount{Rate: math.NaN(), MACs: 1, Params: 1}, "rate=NaN"},
		{Amount{MACs: 0, Params: 1}, "macs=0"},
		{Amount{MACs: 1.5, Params: 1}, "macs=1.5"},
		{Amount{MACs: 1, Params: 0}, "params=0"},
		{Amount{Rate: 0.5, MACs: 0.5, Params: 1}, "one amount"},
	} {
		err := c.a.check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.a, err, c.want)
		}
		if c.want == "" && c.a.Given() != (c.a != Free) {
			t.Errorf("%+v: given is %v", c.a, c.a.Given())
		}
	}
}
