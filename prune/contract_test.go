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
		"red(alpha=0.005)", "red(alpha=0.01,law=constant,linkage=complete,aggregate=survivor,scaled=false)",
		"red(alpha=0.01,law=ascending,levels=mean,error=0.01)", "red(alpha=0.01,law=descending,hash=false)", "red(bandwidth=0.3,tau=0)", "fold+red(alpha=0.005)",
	)
}
