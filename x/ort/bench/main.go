package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pare/internal/assets"
	"pare/internal/cpu"
	"pare/x/ort"
)

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", filepath.Join(os.TempDir(), "pare-speed"), "folder for the networks and their weights, about 900 MB")
	threads := flag.String("threads", "1,2", "numbers of threads")
	pairs := flag.Int("pairs", 15, "counted pairs of runs")
	only := flag.String("only", "", "networks whose name contains the text")
	busy := flag.Bool("processor", false, "compare processor time instead of the time that passes: fair on a busy machine, with one thread")
	flag.Parse()
	now := clock(wall)
	if *busy {
		now = processor
	}
	if err := run(*dir, *threads, *pairs, *only, now); err != nil {
		log.Fatal(err)
	}
}

func run(dir, threads string, pairs int, only string, now clock) error {
	version, err := ort.Version()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	from := filepath.Join(assets.Dir(), "speed")
	lists, err := filepath.Glob(filepath.Join(from, "*.json"))
	if err != nil || len(lists) == 0 {
		return fmt.Errorf("no networks in %s; set PARE_ASSETS", from)
	}
	fmt.Printf("pare's kernels for %s, ONNX Runtime %s\n", cpu.Level(), version)
	for _, list := range lists {
		name := strings.TrimSuffix(filepath.Base(list), ".json")
		if !strings.Contains(name, only) {
			continue
		}
		path, err := assets.Fill(dir, name)
		if err != nil {
			return err
		}
		for n := range strings.SplitSeq(threads, ",") {
			t, err := strconv.Atoi(n)
			if err != nil || t < 1 {
				return fmt.Errorf("-threads %s: want numbers separated by commas", threads)
			}
			r, err := measure(context.Background(), path, t, pairs, now)
			if err != nil {
				return err
			}
			fmt.Printf("%-20s %d threads: %v\n", name, t, r)
		}
	}
	return nil
}
