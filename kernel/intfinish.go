package kernel

import (
	"fmt"
	"math"
	"unsafe"
)

// IntEpilogue is what happens to an integer sum of output channel o before it is
// stored:
//
//	y = min(max(float32(sum)·Mul[o] + float32(Residual[i])·ResMul + Add[o], Lo), Hi)
//
// Of weights that are sums of terms, the further orders' float32(sum)·mul are
// added to Extra in their order, and the total to the product of the first.
//
// Products and sums are rounded one by one, never fused, so that every row of
// the table gives the same bits. Codes are round(y) + Zero with ties to even.
type IntEpilogue struct {
	// Mul and Add have one finite value per output channel. Zero points of the
	// residual belong into Add.
	Mul, Add []float32
	// Stack holds the multipliers of further orders, from IntWeights.StackMul.
	Stack []float32
	// Extra is added to the products, [rows][O]; nil counts as zero. As much as
	// ExtraRoom behind it is read besides.
	Extra []float32
	// Residual holds codes laid out like the destination, with a stride of its
	// own; nil counts as zero. It may be the destination itself.
	Residual []uint8
	// ResMul is the finite multiplier of all residuals.
	ResMul float32
	// Zero is the zero point of the codes stored.
	Zero uint8
	// Lo and Hi clamp y where Lo < Hi. Codes are clamped to 0..255 besides.
	Lo, Hi float32
	// Mid, unless nil, brings the sum onto a grid before anything is added.
	Mid *Mid
	// Steps, unless nil, makes the codes of y; Zero is not used then.
	Steps *Steps
}

// ExtraRoom is how many numbers lie in memory behind IntEpilogue.Extra.
const ExtraRoom = 32

// Mid is a grid between a sum and its residual: float32(sum)·Mul[o] + Add[o], with
// all orders, is
// clamped to Lo..Hi and rounded to an integer, and that times Mul takes the place
// of the sum's product; Shift then takes the place of Add. All are finite.
type Mid struct{ Lo, Hi, Mul, Shift float32 }

// limits are the clamp bounds for a kind of store.
func (e *IntEpilogue) limits(s intStore) (lo, hi float32) {
	lo, hi = -inf, inf
	if e.Lo < e.Hi {
		lo, hi = e.Lo, e.Hi
	}
	if s == storeCodes && e.Steps == nil {
		least := -float32(e.Zero)
		lo, hi = min(max(lo, least), least+255), min(max(hi, least), least+255)
	}
	return lo, hi
}

// check panics where the epilogue does not fit o channels.
func (e *IntEpilogue) check(s intStore, o int) {
	if s != storeSums && (len(e.Mul) != o || len(e.Add) != o) {
		panic(fmt.Sprintf("kernel: %d multipliers and %d shifts for %d channels", len(e.Mul), len(e.Add), o))
	}
}

// checkStack panics where the multipliers are not those of the stack.
func (e *IntEpilogue) checkStack(s intStore, stack *intStack) {
	n := 0
	if stack != nil {
		n = len(stack.rows)
	}
	if s != storeSums && len(e.Stack) != n {
		panic(fmt.Sprintf("kernel: %d multipliers for a stack of %d columns", len(e.Stack), n))
	}
}

// finish stores one sum; it is the definition that assembly follows.
func (t *intArgs) finish(r, j int, sum int32) {
	if t.store == storeSums {
		*(*int32)(unsafe.Pointer(&t.c[r*t.ldc+4*j])) = sum
		return
	}
	y := float32(float32(sum) * t.mul[j])
	if t.extra != nil {
		y += t.extra[r*t.lde/4+j]
	}
	if t.mid {
		if y += t.add[j]; !(y > t.midLo) {
			y = t.midLo
		}
		y = float32(float32(math.RoundToEven(float64(min(y, t.midHi)))) * t.midMul)
	}
	if t.res != nil {
		y += float32(float32(t.res[r*t.ldr+j]) * t.resMul)
	}
	if y += t.last[j]; !(y > t.lo) {
		y = t.lo
	}
	y = min(y, t.hi)
	if t.store == storeFloat {
		*(*float32)(unsafe.Pointer(&t.c[r*t.ldc+4*j])) = y
		return
	}
	t.c[r*t.ldc+j] = uint8(int32(math.RoundToEven(float64(y))) + t.zero)
}
