package cpu

import (
	"runtime"

	xcpu "golang.org/x/sys/cpu"
)

// levels are the values of PARE_CPU, weakest first.
var levels = []level{
	{"generic", 0},
	{"neon", NEON},
	{"neon-dot", NEON | DotProd},
}

func machine() Features {
	// Every Apple processor that runs Go has dot products.
	if xcpu.ARM64.HasASIMDDP || runtime.GOOS == "darwin" {
		return NEON | DotProd
	}
	return NEON
}
