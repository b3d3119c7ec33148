package kernel

import "fmt"

// Over makes the Panels use another buffer, of PanelFloats elements, for
// products whose right-hand side is packed at run time.
func (p *Panels) Over(buf []float32) {
	if len(buf) < len(p.data) {
		panic(fmt.Sprintf("kernel: panels of a %dx%d matrix over %d elements, need %d", p.k, p.n, len(buf), len(p.data)))
	}
	p.data = buf[:len(p.data)]
}
