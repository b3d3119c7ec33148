package kernel

import "sync"

// onePool holds single operands, which would otherwise be allocated to be
// passed through a function value.
var onePool = sync.Pool{New: func() any { return new([1]float32) }}

var intLoanPool = sync.Pool{New: func() any { return new(intLoan) }}

var gridArgsPool = sync.Pool{New: func() any { return new(gridArgs) }}

var addArgsPool = sync.Pool{New: func() any { return new(addArgs) }}

var stepPool = sync.Pool{New: func() any { return new(stepArgs) }}

var expandPool = sync.Pool{New: func() any { return new(expandArgs) }}

var intEpiloguePool = sync.Pool{New: func() any { return new(IntEpilogue) }}

var intProductPool = sync.Pool{New: func() any { return new(intProduct) }}

// release forgets what the product refers to and gives it back.
func (p *intProduct) release() {
	*p = intProduct{}
	intProductPool.Put(p)
}
