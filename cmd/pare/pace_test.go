package main

import (
	"testing"
	"time"
)

// TestPace: half of 1000 things come from an interrupted run at once, the others take
// 2 s each.
func TestPace(t *testing.T) {
	var p pace
	now := time.Unix(1000, 0)
	if p.remaining(1000) != "" {
		t.Error("a guess before anything was done")
	}
	p.add(now, 0)
	p.add(now.Add(time.Millisecond), 500)
	for i := 1; i <= 400; i++ {
		now = now.Add(2 * time.Second)
		p.add(now, 500+i)
		want := time.Duration(500-i) * 2 * time.Second
		if left, ok := p.left(1000); i > 1 && (!ok || left < want*9/10 || left > want*11/10) {
			t.Fatalf("after %d: %v left, %v; want %v", i, left, ok, want)
		}
	}
	if got := p.remaining(1000); got != "3m20s left" {
		t.Error(got)
	}
}
