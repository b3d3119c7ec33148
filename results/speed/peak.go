package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"pare/internal/cpu"
	"pare/kernel"
)

// peakOf measures what the machine can do in a cell, in a process of its own.
func peakOf(x cell) (p peak, err error) {
	self, err := os.Executable()
	if err != nil {
		return p, err
	}
	c := exec.Command(self, "-peaks", strconv.Itoa(x.threads))
	c.Env = append(os.Environ(), "PARE_CPU="+x.isa)
	out, err := c.Output()
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(out, &p)
}

func measurePeak(threads int) peak {
	const each = 50 * time.Millisecond
	n := float64(threads)
	return peak{cpu.Level(), threads, n * kernel.Peak(each) / 1e9, n * kernel.IntPeak(each) / 1e9, kernel.ReadPeak(each, threads) / 1e9}
}

// machine names the processor, as far as the system tells.
func machine() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :")) + ", " + cpu.Have().String()
		}
	}
	return cpu.Have().String()
}
