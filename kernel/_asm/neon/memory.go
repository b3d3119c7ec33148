package neon

// Size is how many bytes a load or store of a vector register moves.
type Size int

// Sizes of parts of registers; loads clear what lies above.
const (
	Byte Size = 1
	Word Size = 4
	Half Size = 8
	Full Size = 16
)

// access is how each size is encoded: loads and stores at an offset, and loads at
// a register's.
var access = map[Size]struct {
	name                string
	load, store, loadAt uint32
}{
	Byte: {"b", 0x3d400000, 0x3d000000, 0x3c606800},
	Word: {"s", 0xbd400000, 0xbd000000, 0xbc606800},
	Half: {"d", 0xfd400000, 0xfd000000, 0xfc606800},
	Full: {"q", 0x3dc00000, 0x3d800000, 0x3ce06800},
}

// Load reads d at an offset of bytes, a multiple of the size.
func (f *File) Load(s Size, d V, base R, off int) { f.move("ldr", access[s].load, s, d, base, off) }

// Store writes d at an offset of bytes, a multiple of the size.
func (f *File) Store(s Size, d V, base R, off int) { f.move("str", access[s].store, s, d, base, off) }

func (f *File) move(name string, code uint32, s Size, d V, base R, off int) {
	if off%int(s) != 0 || off < 0 || off/int(s) > 4095 {
		panic("neon: offset out of range")
	}
	code |= uint32(off/int(s))<<10 | uint32(base)<<5 | uint32(d)
	if off == 0 {
		f.word(code, "%s %s%d, [x%d]", name, access[s].name, d, base)
		return
	}
	f.word(code, "%s %s%d, [x%d, #%d]", name, access[s].name, d, base, off)
}

// LoadAt reads d at base + index bytes.
func (f *File) LoadAt(s Size, d V, base, index R) {
	f.word(access[s].loadAt|uint32(index)<<16|uint32(base)<<5|uint32(d), "ldr %s%d, [x%d, x%d]", access[s].name, d, base, index)
}

// Repeat reads 32 bits at base into every element of d.
func (f *File) Repeat(d V, base R) {
	f.word(0x4d40c800|uint32(base)<<5|uint32(d), "ld1r {v%d.4s}, [x%d]", d, base)
}

// RepeatAt is Repeat at the field of a struct; it spoils tmp.
func (f *File) RepeatAt(d V, base R, field string, tmp R) {
	f.Go("ADD $%s, %v, %v", field, base, tmp)
	f.Repeat(d, tmp)
}

// RepeatNext is Repeat that moves base on by 4.
func (f *File) RepeatNext(d V, base R) {
	f.word(0x4ddfc800|uint32(base)<<5|uint32(d), "ld1r {v%d.4s}, [x%d], #4", d, base)
}

// Half copies one half of n to d, as 64 bits.
func (f *File) Half(d R, n V, i int) {
	f.word(0x4e083c00|uint32(i)<<20|uint32(n)<<5|uint32(d), "mov x%d, v%d.d[%d]", d, n, i)
}

// RepeatWord sets every element of d to the lower 32 bits of p.
func (f *File) RepeatWord(d V, p R) {
	f.word(0x4e040c00|uint32(p)<<5|uint32(d), "dup v%d.4s, w%d", d, p)
}

// LoadLane reads 32 bits at base into element i of d.
func (f *File) LoadLane(d V, i int, base R) {
	f.word(0x0d408000|uint32(i>>1)<<30|uint32(i&1)<<12|uint32(base)<<5|uint32(d), "ld1 {v%d.s}[%d], [x%d]", d, i, base)
}

// StoreLane writes element i of d at base.
func (f *File) StoreLane(d V, i int, base R) {
	f.word(0x0d008000|uint32(i>>1)<<30|uint32(i&1)<<12|uint32(base)<<5|uint32(d), "st1 {v%d.s}[%d], [x%d]", d, i, base)
}

// InsertWord sets element i of d to the lower 32 bits of p.
func (f *File) InsertWord(d V, i int, p R) {
	f.word(0x4e041c00|uint32(i)<<19|uint32(p)<<5|uint32(d), "mov v%d.s[%d], w%d", d, i, p)
}

// StoreAt writes d at base + index bytes.
func (f *File) StoreAt(d V, base, index R) {
	f.word(0x3ca06800|uint32(index)<<16|uint32(base)<<5|uint32(d), "str q%d, [x%d, x%d]", d, base, index)
}
