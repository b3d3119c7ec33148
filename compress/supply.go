package compress

import (
	"fmt"

	"pare/internal/fault"
)

// supplied reports the first step that needs samples where there are none.
func (r *Recipe) supplied(o Options) error {
	if o.Data != nil {
		return nil
	}
	for _, m := range r.Steps {
		if NeedsData(m) {
			err := fmt.Errorf("%s learns from samples and there are none", stepString(m))
			return fault.Hint(err, "name some with --data; a few hundred that look like what the network will meet are enough to begin with")
		}
	}
	return nil
}

// NeedsData reports whether a step, or one inside of it, cannot work without samples.
func NeedsData(m Method) bool {
	i, ok := infoOf(m)
	if ok && i.Data {
		return true
	}
	fields, _ := params(m)
	for _, f := range fields {
		if sub, ok := f.value(m).Interface().(Nested); ok && sub.Method != nil && NeedsData(sub.Method) {
			return true
		}
	}
	return false
}
