package cost

import "math/bits"

// set counts distinct magnitudes among the bits of numbers.
type set struct {
	met   []uint8  // by hash: 0 for no number, 1 for one, more for several
	list  []uint32 // of magnitudes whose hash others have
	table []uint32 // of magnitudes, by hash
}

// newSet makes room for n numbers.
func newSet(n int) set {
	const sparse = 8 // hashes for each number, at least
	return set{met: make([]uint8, 1<<bits.Len(uint(sparse*n))), list: make([]uint32, n+1), table: make([]uint32, tableSize(n))}
}

// tableSize is that of a table with room for n numbers.
func tableSize(n int) int { return 1 << bits.Len(uint(2*n)) }

// golden spreads neighbouring numbers.
const golden = 0x9e3779b1

// count is the number of numbers other than 0 and that of their magnitudes. Most
// are told apart by a hash that no other number has; the others go to a table.
func (s *set) count(w []uint32) (nonZero, distinct int64) {
	met, list, n := s.met, s.list, 0
	clear(met)
	shift := 33 - uint(bits.Len(uint(len(s.met))))
	for _, b := range w {
		m := b &^ sign
		if m != 0 {
			nonZero++
		}
		h := m * golden >> (shift & 31)
		met[h] = met[h]<<1 | 1
	}
	for _, b := range w {
		m := b &^ sign
		list[n] = m
		n += int(met[m*golden>>(shift&31)] >> 1 & 1)
	}
	shared := int64(0)
	for _, m := range list[:n] {
		if m != 0 {
			shared++
		}
	}
	return nonZero, nonZero - shared + exact(list[:n], s.table[:tableSize(n)])
}

// exact counts distinct magnitudes other than 0 with a table that has room for all.
func exact(magnitudes, table []uint32) (distinct int64) {
	clear(table)
	shift := 32 - uint(bits.Len(uint(len(table)))-1)
	mask := uint32(len(table) - 1)
	for _, m := range magnitudes {
		if m == 0 {
			continue
		}
		at := m * golden >> shift
		for table[at] != m {
			if table[at] == 0 {
				table[at] = m
				distinct++
				break
			}
			at = (at + 1) & mask
		}
	}
	return distinct
}

// few counts like count where magnitudes are below 256.
func few(w []uint32) (nonZero, distinct int64) {
	var seen [4]uint64
	for _, b := range w {
		m := b &^ sign
		seen[m>>6&3] |= 1 << (m & 63)
		if m != 0 {
			nonZero++
		}
	}
	seen[0] &^= 1
	for _, s := range seen {
		distinct += int64(bits.OnesCount64(s))
	}
	return nonZero, distinct
}
