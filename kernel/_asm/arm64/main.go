// Command arm64 generates the assembly for arm64, all families of it: one file and
// one row of families each.
package main

import (
	"flag"
	"fmt"
	"os"

	"pare-asm/neon"
)

// families write <name>_arm64.s and its declarations, <name>_arm64.go.
var families = []struct {
	name  string
	write func(f *neon.File)
}{
	{"inttile", intTiles},
	{"tile", tiles},
	{"elementwise", elementwise},
	{"quantize", quantize},
	{"codes", codes},
	{"window", windows},
	{"low", low},
	{"peak", peaks},
	{"encode", encoders},
	{"expand", expand},
	{"steps", steps},
	{"row", rows},
	{"transpose", transpose},
	{"winograd", winograd},
	{"split", split},
}

func main() {
	dir := flag.String("out", ".", "folder to write to")
	flag.Parse()
	for _, family := range families {
		f := neon.New()
		family.write(f)
		if err := f.Write(*dir, family.name); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		fmt.Println(family.name + "_arm64.s")
		fmt.Println(family.name + "_arm64.go")
	}
}
