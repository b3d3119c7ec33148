package decompose_test

import (
	"testing"

	"pare/compress/compresstest"
	_ "pare/quant"
)

func TestContract(t *testing.T) {
	compresstest.RunAll(t, "split(form=split)", "split(form=split);down:skip",
		"svd(rank=24,pays=macs)", "svd(energy=0.9,form=channel,pays=macs)", "svd(error=0.3,form=spatial,weighted=none,pays=macs)",
		"svd(macs=0.9,pays=macs)", "svd(error=0.4,weighted=moments)", "fold+svd(params=0.9,align=4,pays=macs)", "svd(error=0.2,align=1,correct=false,pays=macs)",
		"fold+svd(error=0.3,pays=macs)+uniform(w=8,a=8)",
		"tucker(error=0.5,pays=macs)", "cp(error=0.5,pays=macs)", "fold+tucker(rank=16,pays=macs)+uniform(w=8,a=8)", "cp(rank=40,pays=macs,weighted=none)+uniform(w=8)",
	)
}
