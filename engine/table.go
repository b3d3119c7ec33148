package engine

import (
	"fmt"
	"slices"

	"pare/ir"
)

// row says how a node of one operator becomes steps. lower reports false, having
// emitted nothing, where the node is not of a form it knows; the reference
// evaluation then does it.
type row struct {
	op, domain string
	// since is the version of the standard operator set whose schema the row
	// knows, 0 where all versions mean the same to it.
	since int
	lower func(b *builder, n *ir.Node) bool
}

type opName struct{ domain, op string }

// rows holds one row per operator, family by family.
var rows = map[opName]*row{}

func init() {
	for _, r := range slices.Concat(viewRows, strideRows, unaryRows, binaryRows, convRows, transposeRows, gemmRows, poolRows, reduceRows, normRows, groupNormRows, rmsNormRows, joinRows, quantizeRows, qonnxRows, resizeRows) {
		k := opName{r.domain, r.op}
		if rows[k] != nil {
			panic(fmt.Sprintf("operator %v has two rows", k))
		}
		rows[k] = &r
	}
}
