package train_test

import (
	"testing"

	"pare/compress/compresstest"
)

func TestContract(t *testing.T) {
	compresstest.RunAll(t,
		"tune(optimizer=adamw,epochs=2,distance=cosine);dw:skip", "tune(optimizer=sgd,steps=3,schedule=steps,bn=frozen)",
		"tune(steps=2,distance=classes,batch=2,zeros=free)",
	)
}
