package demo

import "fmt"

// The network's input is (pixel/255 - Mean) / Std in every channel.
const (
	Mean = 0.5
	Std  = 0.25
)

// Prepare is the preprocessing as options of a data specification.
var Prepare = fmt.Sprintf("mean=%g&std=%g", Mean, Std)
