package compress

// Amend changes what the running step last reported of a layer, for methods that
// improve on what another one left. It does nothing where the layer was not reported.
func (e *Env) Amend(layer string, edit func(r *LayerReport)) {
	for i := len(e.report.Layers) - 1; i >= 0; i-- {
		if r := &e.report.Layers[i]; r.Name == layer && r.Step == e.step.Step {
			edit(r)
			return
		}
	}
}
