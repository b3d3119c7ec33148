package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"pare"
	"pare/ir"
	"pare/tensor"
)

// denseText is a chain of products with square matrices. Even with weights of 4 bits
// these are more than caches hold, so all come from memory.
const denseText = `
opset 17
graph dense(x f32[batch,4096]) -> (y) {
  x1 = MatMul(x, w0) @dense0
  x2 = MatMul(x1, w1) @dense1
  x3 = MatMul(x2, w2) @dense2
  x4 = MatMul(x3, w3) @dense3
  x5 = MatMul(x4, w4) @dense4
  y f32[batch,4096] = MatMul(x5, w5) @dense5
}
`

// denseLayers have matrices of so many rows and columns.
const (
	denseLayers, denseWidth = 6, 4096
	denseParams             = denseLayers * denseWidth * denseWidth
)

// makeDense writes the network of denseText.
func makeDense(path string) error {
	m, err := ir.Parse(strings.NewReader(strings.Replace(denseText, "{\n", "{\n"+denseConsts(), 1)))
	if err != nil {
		return err
	}
	m.IRVersion = 8
	r := rand.New(rand.NewPCG(1, 0))
	for _, v := range m.Graph.Consts {
		w := tensor.New(tensor.Float32, denseWidth, denseWidth)
		for i := range w.Len() {
			tensor.Data[float32](w)[i] = float32(r.NormFloat64()) / 64
		}
		v.Const, v.Type = w, ir.TypeOf(w)
	}
	_, err = pare.New(m).Save(path, pare.SaveOptions{})
	return err
}

// denseConsts declares the matrices, which are filled in later.
func denseConsts() string {
	var b strings.Builder
	for i := range denseLayers {
		b.WriteString("  const w" + string(rune('0'+i)) + " = f32[1,1]{0}\n")
	}
	return b.String()
}

// dense writes how fast the chain of products reads its weights.
func (p *printer) dense(x cell) {
	x.network = networks[slices.IndexFunc(networks, func(n network) bool { return n.is(dense) })]
	if !p.has(x) {
		return
	}
	fmt.Fprintf(p, "%d products of a vector with a matrix of %d x %d\n\n", denseLayers, denseWidth, denseWidth)
	p.WriteString("| | ms for each | against own float | against the better peer's float | GB/s of weights | of the rate of reading |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, c := range columns {
		if r := p.results.find(x, c.name); r != nil && r.Error == "" {
			gbs := denseParams * float64(c.bits) / 8 / r.MS / 1e6
			fmt.Fprintf(p, "| %s | %.3f | %s | %s | %.1f | %.0f %% |\n", c.title, r.MS/denseLayers,
				against(ownFloat)(p, x, r), against(peerFloat)(p, x, r), gbs, 100*gbs/p.read(x))
		}
	}
	p.WriteString("\n")
}

// read is the rate at which memory was read with the threads of a cell.
func (p *printer) read(x cell) float64 {
	for _, k := range p.results.Peaks {
		if k.ISA == x.isa && k.Threads == x.threads {
			return k.Read
		}
	}
	return 0
}
