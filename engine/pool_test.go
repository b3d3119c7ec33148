package engine

import "testing"

// TestHelpers has tasks that wait for each other, which only threads at the same
// time can finish, again and again.
func TestHelpers(t *testing.T) {
	workers.hire(2)
	meet := make(chan int)
	j := &job{frame: &frame{}, tasks: 3}
	j.run = func(_ *frame, task int, _ []float32) {
		if task == 0 {
			<-meet
			<-meet
			return
		}
		meet <- task
	}
	for range 1000 {
		if p := j.do(3); p != nil {
			t.Fatal(p)
		}
	}
}

func TestFailedTask(t *testing.T) {
	workers.hire(2)
	j := &job{frame: &frame{}, tasks: 1000}
	j.run = func(_ *frame, task int, _ []float32) {
		if task == 7 {
			panic("seven")
		}
	}
	for range 100 {
		if p := j.do(3); p != "seven" {
			t.Fatalf("got %v", p)
		}
	}
}
