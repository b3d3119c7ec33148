package decompose_test

import (
	"testing"

	"pare/compress/compresstest"
	_ "pare/quant"
)

func TestContract(t *testing.T) {
	compresstest.RunAll(t, "split(form=split)", "split(form=split);down:skip",
		"svd(rank=24)", "svd(energy=0.9,form=channel)", "svd(error=0.3,form=spatial,weighted=false)", "svd(macs=0.9)",
		"fold+svd(params=0.9,align=4)", "svd(error=0.2,align=1,correct=false)", "fold+svd(error=0.3)+uniform(w=8,a=8)",
	)
}
