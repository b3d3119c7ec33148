package cost

import "math/bits"

// set counts distinct magnitudes among the bits of numbers.
type set struct {
	// once and twice mark hashes that a number has, and more than one.
	once, twice []uint64
	list        []uint32 // of numbers whose hash others have
	table       []uint32 // of magnitudes, by hash
}

// newSet makes room for n numbers.
func newSet(n int) set {
	const sparse = 16 // hashes for each number
	words := max(1, 1<<bits.Len(uint(sparse*n))/64)
	return set{once: make([]uint64, words), twice: make([]uint64, words), table: make([]uint32, tableSize(n))}
}

// tableSize is that of a table with room for n numbers.
func tableSize(n int) int { return 1 << bits.Len(uint(2*n)) }

// golden spreads neighbouring numbers.
const golden = 0x9e3779b1

// count is the number of numbers other than 0 and that of their magnitudes. Most
// are told apart by a hash that no other number has; the others go to a table.
func (s *set) count(w []uint32) (nonZero, distinct int64) {
	clear(s.once)
	clear(s.twice)
	shift := 32 - uint(bits.Len(uint(len(s.once)))+5)
	shared := uint64(0)
	for _, b := range w {
		m := b &^ sign
		if m == 0 {
			continue
		}
		nonZero++
		h := m * golden >> shift
		bit := uint64(1) << (h & 63)
		met := s.once[h>>6] & bit
		s.twice[h>>6] |= met
		s.once[h>>6] |= bit
		shared |= met
	}
	if shared == 0 {
		return nonZero, nonZero
	}
	s.list = s.list[:0]
	for _, b := range w {
		m := b &^ sign
		if h := m * golden >> shift; m != 0 && s.twice[h>>6]&(1<<(h&63)) != 0 {
			s.list = append(s.list, m)
		}
	}
	distinct = exact(s.list, s.table[:tableSize(len(s.list))])
	return nonZero, nonZero - int64(len(s.list)) + distinct
}

// exact counts distinct magnitudes other than 0 with a table that has room for all.
func exact(magnitudes, table []uint32) (distinct int64) {
	clear(table)
	shift := 32 - uint(bits.Len(uint(len(table)))-1)
	mask := uint32(len(table) - 1)
	for _, m := range magnitudes {
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
