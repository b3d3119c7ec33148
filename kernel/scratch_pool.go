package kernel

import "sync"

// onePool holds single operands, which would otherwise be allocated to be
// passed through a function value.
var onePool = sync.Pool{New: func() any { return new([1]float32) }}

var intLoanPool = sync.Pool{New: func() any { return new(intLoan) }}

var gridArgsPool = sync.Pool{New: func() any { return new(gridArgs) }}

var addArgsPool = sync.Pool{New: func() any { return new(addArgs) }}
