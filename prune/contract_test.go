package prune_test

import (
	"testing"

	"pare/compress/compresstest"
	_ "pare/prune"
	_ "pare/quant"
)

func TestContract(t *testing.T) {
	compresstest.RunAll(t,
		"fold+magnitude(rate=0.1,scope=layer,compensate=none)", "fold+magnitude(rate=0.1,scope=global,compensate=mean,p=1)",
		"fold+magnitude(rate=0.1,keep=4)", "fold+random(rate=0.1,scope=layer)", "magnitude(rate=0.05);conv1:skip", "fold+magnitude(rate=0.1)+uniform(w=8)",
		"fold+surgeon(macs=0.97)", "magnitude(granularity=weight,rate=0.2)", "random(granularity=weight,rate=0.05,scope=layer)",
	)
}
