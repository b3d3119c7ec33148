package main

import (
	"syscall"
	"time"
)

// clock is a time in seconds since some moment.
type clock func() float64

var start = time.Now()

// wall is the time that passes.
func wall() float64 { return time.Since(start).Seconds() }

// processor is the time that this process spends on processors, all threads
// together.
func processor() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are right
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
