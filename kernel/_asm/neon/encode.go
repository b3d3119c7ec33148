package neon

import "fmt"

// V is a vector register, R a general one.
type (
	V uint32
	R uint32
)

// String is the register's name in Go's assembler.
func (r R) String() string { return fmt.Sprintf("R%d", uint32(r)) }

// Op3 is an instruction of a destination and two sources, with what the registers
// hold.
type Op3 struct {
	code     uint32
	name     string
	to, n, m string
}

// Instructions on whole registers.
var (
	FADD   = Op3{0x4e20d400, "fadd", s4, s4, s4}
	FSUB   = Op3{0x4ea0d400, "fsub", s4, s4, s4}
	FMUL   = Op3{0x6e20dc00, "fmul", s4, s4, s4}
	FDIV   = Op3{0x6e20fc00, "fdiv", s4, s4, s4}
	FMLA   = Op3{0x4e20cc00, "fmla", s4, s4, s4}
	FMLS   = Op3{0x4ea0cc00, "fmls", s4, s4, s4}
	FMIN   = Op3{0x4ea0f400, "fmin", s4, s4, s4}
	FMAX   = Op3{0x4e20f400, "fmax", s4, s4, s4}
	FMAXNM = Op3{0x4e20c400, "fmaxnm", s4, s4, s4}
	FCMGT  = Op3{0x6ea0e400, "fcmgt", s4, s4, s4}
	FCMGE  = Op3{0x6e20e400, "fcmge", s4, s4, s4}
	ADD    = Op3{0x4ea08400, "add", s4, s4, s4}
	MUL    = Op3{0x4ea09c00, "mul", s4, s4, s4}
	SUB    = Op3{0x6ea08400, "sub", s4, s4, s4}
	SUBB   = Op3{0x6e208400, "sub", b16, b16, b16}
	SMAX   = Op3{0x4ea06400, "smax", s4, s4, s4}
	UMAXB  = Op3{0x6e206400, "umax", b16, b16, b16}
	EOR    = Op3{0x6e201c00, "eor", b16, b16, b16}
	// Those of float64 end with D.
	FADDD = Op3{0x4e60d400, "fadd", d2, d2, d2}
	FSUBD = Op3{0x4ee0d400, "fsub", d2, d2, d2}
	FMULD = Op3{0x6e60dc00, "fmul", d2, d2, d2}
	FMAXD = Op3{0x4e60f400, "fmax", d2, d2, d2}
	AND   = Op3{0x4e201c00, "and", b16, b16, b16}
	ORR   = Op3{0x4ea01c00, "orr", b16, b16, b16}
	// BIT and BIF take bits of n where those of m are set, or not.
	BIT = Op3{0x6ea01c00, "bit", b16, b16, b16}
	BIF = Op3{0x6ee01c00, "bif", b16, b16, b16}
	// BSL takes n where the destination's bits are set, else m.
	BSL = Op3{0x6e601c00, "bsl", b16, b16, b16}
	// UZP1 takes the even elements of n, then those of m: the lower halves of
	// elements twice as large.
	UZP1H = Op3{0x4e401800, "uzp1", h8, h8, h8}
	UZP1B = Op3{0x4e001800, "uzp1", b16, b16, b16}
	// TRN1 takes the even elements of n and m in turn, TRN2 the odd ones: of 32 or
	// of 64 bits.
	TRN1  = Op3{0x4e802800, "trn1", s4, s4, s4}
	TRN2  = Op3{0x4e806800, "trn2", s4, s4, s4}
	TRN1D = Op3{0x4ec02800, "trn1", d2, d2, d2}
	TRN2D = Op3{0x4ec06800, "trn2", d2, d2, d2}
	SDOT  = Op3{0x4e809400, "sdot", s4, b16, b16}
	// SMLAL adds products of the lower halves, SMLAL2 of the upper ones.
	SMLAL  = Op3{0x0e608000, "smlal", s4, h4, h4}
	SMLAL2 = Op3{0x4e608000, "smlal2", s4, h8, h8}
	// UDOT adds the four products of each quad of bytes.
	UDOT = Op3{0x6e809400, "udot", s4, b16, b16}
)

const s4, h8, h4, b16, b8, d2 = "4s", "8h", "4h", "16b", "8b", "2d"

// Do writes op of three registers.
func (f *File) Do(op Op3, d, n, m V) {
	f.word(op.code|uint32(m)<<16|uint32(n)<<5|uint32(d), "%s v%d.%s, v%d.%s, v%d.%s", op.name, d, op.to, n, op.n, m, op.m)
}

// Op2 is an instruction of a destination and one source.
type Op2 struct {
	code  uint32
	name  string
	to, n string
}

// Instructions of one source.
var (
	SCVTF  = Op2{0x4e21d800, "scvtf", s4, s4}
	FCVTNS = Op2{0x4e21a800, "fcvtns", s4, s4}
	FRINTN = Op2{0x4e218800, "frintn", s4, s4}
	FSQRT  = Op2{0x6ea1f800, "fsqrt", s4, s4}
	FNEG   = Op2{0x6ea0f800, "fneg", s4, s4}
	FABS   = Op2{0x4ea0f800, "fabs", s4, s4}
	FABSD  = Op2{0x4ee0f800, "fabs", d2, d2}
	// FCVTL makes float64 of the lower half, FCVTL2 of the upper one.
	FCVTL  = Op2{0x0e617800, "fcvtl", d2, "2s"}
	FCVTL2 = Op2{0x4e617800, "fcvtl2", d2, s4}
	FCVTZS = Op2{0x4ea1b800, "fcvtzs", s4, s4}
	XTN    = Op2{0x0e212800, "xtn", b8, h8}
	// Widening by 0 bits of shift: of the lower halves, then of the upper ones.
	UXTLB  = Op2{0x2f08a400, "uxtl", h8, b8}
	UXTL2B = Op2{0x6f08a400, "uxtl2", h8, b16}
	UXTLH  = Op2{0x2f10a400, "uxtl", s4, h4}
	UXTL2H = Op2{0x6f10a400, "uxtl2", s4, h8}
	SXTLB  = Op2{0x0f08a400, "sxtl", h8, b8}
	SXTL2B = Op2{0x4f08a400, "sxtl2", h8, b16}
	SXTLH  = Op2{0x0f10a400, "sxtl", s4, h4}
	SXTL2H = Op2{0x4f10a400, "sxtl2", s4, h8}
)

// Do2 writes op of two registers.
func (f *File) Do2(op Op2, d, n V) {
	f.word(op.code|uint32(n)<<5|uint32(d), "%s v%d.%s, v%d.%s", op.name, d, op.to, n, op.n)
}

// Move copies a register.
func (f *File) Move(d, n V) {
	f.word(ORR.code|uint32(n)<<16|uint32(n)<<5|uint32(d), "mov v%d.16b, v%d.16b", d, n)
}

// Zero clears a register.
func (f *File) Zero(d V) { f.Ints(d, 0) }

// Ints sets every int32 to x.
func (f *File) Ints(d V, x uint8) {
	f.word(0x4f000400|uint32(x>>5)<<16|uint32(x&31)<<5|uint32(d), "movi v%d.4s, #0x%x", d, x)
}

// Left shifts int32 to the left.
func (f *File) Left(d, n V, by int) {
	f.word(0x4f005400|uint32(32+by)<<16|uint32(n)<<5|uint32(d), "shl v%d.4s, v%d.4s, #%d", d, n, by)
}

// Right shifts int32 to the right, with their sign.
func (f *File) Right(d, n V, by int) {
	f.word(0x4f000400|uint32(64-by)<<16|uint32(n)<<5|uint32(d), "sshr v%d.4s, v%d.4s, #%d", d, n, by)
}

// Bytes sets every byte to x.
func (f *File) Bytes(d V, x uint8) {
	f.word(0x4f00e400|uint32(x>>5)<<16|uint32(x&31)<<5|uint32(d), "movi v%d.16b, #0x%x", d, x)
}

// Lane is an instruction whose second source is one element of a register.
type Lane struct {
	code  uint32
	name  string
	n, el string
}

// Instructions by element. SDOT adds the four products of each quad of bytes.
var (
	FMLALane = Lane{0x4f801000, "fmla", s4, "s"}
	SDOTLane = Lane{0x4f80e000, "sdot", b16, "4b"}
	UDOTLane = Lane{0x6f80e000, "udot", b16, "4b"}
)

// ByLane writes d += n·m[i], for elements of 32 bits.
func (f *File) ByLane(op Lane, d, n, m V, i int) {
	code := op.code | uint32(i&1)<<21 | uint32(i>>1)<<11 | uint32(m)<<16 | uint32(n)<<5 | uint32(d)
	f.word(code, "%s v%d.4s, v%d.%s, v%d.%s[%d]", op.name, d, n, op.n, m, op.el, i)
}

// ByWord writes d += n·m[i] for words, of the lower or the upper half of n. m is
// one of the first sixteen registers.
func (f *File) ByWord(d, n, m V, i int, upper bool) {
	code, name, half := uint32(0x0f402000), "smlal", h4
	if upper {
		code, name, half = 0x4f402000, "smlal2", h8
	}
	code |= uint32(i>>2)<<11 | uint32(i>>1&1)<<21 | uint32(i&1)<<20
	f.word(code|uint32(m)<<16|uint32(n)<<5|uint32(d), "%s v%d.4s, v%d.%s, v%d.h[%d]", name, d, n, half, m, i)
}

// Table looks bytes of n up in the 64 bytes of four registers from t on. What
// lies beyond them becomes 0, or stays as it is where keep is set.
func (f *File) Table(d, t, n V, keep bool) {
	code, name := uint32(0x4e006000), "tbl"
	if keep {
		code, name = 0x4e007000, "tbx"
	}
	f.word(code|uint32(n)<<16|uint32(t)<<5|uint32(d), "%s v%d.16b, {v%d.16b-v%d.16b}, v%d.16b", name, d, t, t+3, n)
}

// Table16 looks bytes of n up in the 16 bytes of t.
func (f *File) Table16(d, t, n V) {
	f.word(0x4e000000|uint32(n)<<16|uint32(t)<<5|uint32(d), "tbl v%d.16b, {v%d.16b}, v%d.16b", d, t, n)
}

// RightBytes shifts every byte to the right.
func (f *File) RightBytes(d, n V, by int) {
	f.word(0x6f000400|uint32(16-by)<<16|uint32(n)<<5|uint32(d), "ushr v%d.16b, v%d.16b, #%d", d, n, by)
}

// Total sets every element of d to the sum of those of n.
func (f *File) Total(d, n V) {
	f.word(0x4eb1b800|uint32(n)<<5|uint32(d), "addv s%d, v%d.4s", d, n)
	f.word(0x4e040400|uint32(d)<<5|uint32(d), "dup v%d.4s, v%d.s[0]", d, d)
}
