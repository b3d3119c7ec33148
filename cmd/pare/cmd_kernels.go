package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pare/internal/cpu"
	"pare/kernel"
)

// kernelDoc is a kernel of the JSON document.
type kernelDoc struct {
	Family string `json:"family"`
	Name   string `json:"name"`
	Needs  string `json:"needs"`
	Runs   bool   `json:"runs"`
	Chosen bool   `json:"chosen"` // the best of its family that runs
}

// each is how long a peak is measured.
const each = 50 * time.Millisecond

func kernelsCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "kernels",
		Short: "Show which kernels run on this machine",
		Long: `kernels lists every kernel of this build and which of them this machine can run,
and measures what one core of it can do at most: the yardsticks of bench.
PARE_CPU=generic|avx2|avx512 caps what is used, on arm64 generic|neon|neon-dot.`,
		Args: files(),
		RunE: func(*cobra.Command, []string) error {
			var doc struct {
				CPU      string      `json:"cpu"`
				Features string      `json:"features"`
				Peak     float64     `json:"peak_gflops"`
				IntPeak  float64     `json:"peak_int_gops"`
				Read     float64     `json:"peak_read_gbs"`
				Kernels  []kernelDoc `json:"kernels"`
			}
			doc.CPU, doc.Features = cpu.Level(), cpu.Have().String()
			doc.Peak = kernel.Peak(each) / 1e9
			doc.IntPeak = kernel.IntPeak(each) / 1e9
			doc.Read = kernel.ReadPeak(each, 1) / 1e9
			chosen := map[string]bool{}
			for _, r := range kernel.Table() {
				best := r.Runs && !chosen[r.Family]
				chosen[r.Family] = chosen[r.Family] || best
				doc.Kernels = append(doc.Kernels, kernelDoc{r.Family, r.Name, r.Needs.String(), r.Runs, best})
			}
			if a.json {
				return a.writeJSON(doc)
			}
			fmt.Fprintf(a.stdout, "cpu level %s (%s)\n", doc.CPU, doc.Features)
			fmt.Fprintf(a.stdout, "peaks of one core: %.1f GFLOP/s, %.1f GOP/s of 8-bit integers, reading memory %.1f GB/s\n\n", doc.Peak, doc.IntPeak, doc.Read)
			rows := [][]string{{"FAMILY", "KERNEL", "NEEDS", "RUNS HERE"}}
			for _, k := range doc.Kernels {
				runs := "no"
				if k.Runs {
					runs = "yes"
				}
				if k.Chosen {
					runs = "yes, in use"
				}
				rows = append(rows, []string{strings.TrimSpace(k.Family), k.Name, k.Needs, runs})
			}
			table(a.stdout, rows)
			return nil
		},
	}
}
