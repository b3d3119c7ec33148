package quant_test

import (
	"testing"

	"pare/compress"
	"pare/compress/compresstest"
	_ "pare/quant"
)

func TestContract(t *testing.T) {
	var presets []string
	for _, p := range compress.Presets {
		presets = append(presets, p.Recipe)
	}
	compresstest.RunAll(t, append(presets,
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
		"powerquant(w=4,rounding=squant)", "powerquant(w=4,a=8,rounding=squant,granularity=tensor)",
		"powerquant(w=4,top=16)", "mixed(base=powerquant(a=4),least=4,budget=6,abudget=6);pw:w=3;fc:a=5", "mixed(base=uniform(a=6,edges=8),least=6,budget=7,abudget=7);dw:a=32", "powerquant(w=6,top=127)",
		"rex(budget=0)", "rex(base=uniform(w=4),steps=shift,bits=3)", "rex(base=uniform(w=4),steps=max,spread=constant,rows=norm)", "rex(base=uniform(w=3,granularity=block,block=16),order=3,budget=2)",
		"rex(base=uniform(w=4),steps=fused,order=2)", "rex(base=powerquant(w=4),bits=1,budget=1.1)", "rex(base=ternary,order=4,budget=0)",
		"rex(base=uniform(w=4,store=int8,granularity=tensor),order=3,spread=linear,count=bytes)", "rex(base=uniform(w=4,symmetric=false),order=1)",
		"rex(base=codebook(w=3,top=0),order=2,bits=3,budget=1.7)", "rex(base=uniform(w=4,a=8),budget=1.5);pw:a=32;fc:w=3",
		"rex(base=uniform(w=4,a=4),inputs=2)", "rex(base=powerquant(w=4,a=4,rounding=squant))",
		"ternary(equal=mass)", "ternary(equal=error,granularity=tensor,edges=0,store=int8)",
		"mixed(budget=2.5)", "mixed(base=uniform(w=2,symmetric=false,edges=8),budget=3);pw:w=4", "mixed(base=powerquant(exponent=layer,rounding=squant),least=4,budget=5.5)",
		"codebook(w=4,rounding=squant,importance=none)", "codebook(w=3,gain=false)",
		"gptq(base=powerquant(w=4,a=8))", "gptq(base=uniform(granularity=block,block=16,symmetric=false),w=3,order=memory)", "gptq(base=mixed(base=codebook(rounding=squant),least=4,budget=5),inputs=float)",
		"mixed(base=gptq(base=uniform(a=6),places=3),least=4,budget=5);dw:skip", "gptq(w=4,stages=2,damp=0)",
		"codebook(w=2)", "codebook(w=3,granularity=tensor)", "codebook(w=5,top=16,importance=input)", "codebook(w=6,top=0,edges=8)",
		"fold+equalize+absorb+uniform(w=8,a=8)+correct", "fold+equalize(clip=leave,reach=false,rounds=3)", "fold+absorb(check=false,k=1)",
		"fold+spiq(form=axis)+uniform(w=8)", "fold+spiq(w=4,a=4,form=axis,kappa=0.5)+powerquant(w=4)+correct",
		"fold+spiq(w=4,a=4)+uniform(w=4,a=4)", "fold+spiq(kappa=1,share=mean,k=4)+powerquant(w=4)+correct", "fold+ocs(ratio=0.3)+uniform(w=4)+correct",
		"adaround", "brecq(w=4,a=4)", "qdrop(base=powerquant(w=3,a=8))", "adaquant(w=3)", "nupes(a=4)", "fold+brecq(base=codebook(w=3),variable=h)",
	)...)
}
