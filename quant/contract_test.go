package quant_test

import (
	"testing"

	"pare/compress/compresstest"
	_ "pare/quant"
)

func TestContract(t *testing.T) {
	compresstest.RunAll(t,
		"uniform(w=2)", "uniform(w=3,granularity=block,block=16)", "uniform(w=4,granularity=tensor)",
		"uniform(w=4,symmetric=false)", "uniform(w=3,store=int8)", "uniform(w=5,range=mse)", "uniform(w=6,range=percentile)",
		"uniform(w=2,edges=8);dw:skip;fc:w=4",
		"uniform(w=8,a=8)", "uniform(w=8,a=4)", "uniform(w=4,a=6,edges=8,regions=false)", "uniform(w=8,a=8,bias=float,k=4)",
		"uniform(w=8,a=8,granularity=tensor)", "uniform(w=4,a=8);pw:a=32;fc:a=4",
		"powerquant(w=2)", "powerquant(w=3)", "powerquant(w=8,exponent=layer)", "powerquant(w=4,exponent=0.5,granularity=tensor)",
		"powerquant(w=4,objective=relative,rounding=power)", "powerquant(w=5,range=mse,norm=1,store=int8)",
		"uniform(w=4,rounding=squant)", "uniform(w=3,a=8,rounding=squant,symmetric=false)", "uniform(w=4,rounding=squant,granularity=tensor,range=mse)",
		"uniform(w=4,rounding=squant,granularity=block,block=16)",
		"powerquant(w=4,a=4)", "powerquant(w=8,a=8,exponent=layer,edges=8)", "powerquant(w=4,a=6,aexponent=0.7,rounding=power)",
		"powerquant(w=6,a=6,aexponent=1,regions=false);pw:a=32;fc:a=4", "powerquant(solver=simplex)", "powerquant(w=6,a=6,top=127)",
		"powerquant(w=4,rounding=squant)", "powerquant(w=3,a=8,rounding=squant,granularity=tensor)",
	)
}
