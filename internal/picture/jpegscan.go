package picture

// huffman decodes canonical codes: of the codes of each length the first, the
// one behind the last, and where their values begin.
type huffman struct {
	first, behind, at [17]int
	values            []byte
}

func newHuffman(counts, values []byte) *huffman {
	h := &huffman{values: values}
	code, at := 0, 0
	for n := 1; n <= 16; n++ {
		h.first[n], h.at[n] = code, at
		code += int(counts[n-1])
		at += int(counts[n-1])
		h.behind[n] = code
		code <<= 1
	}
	return h
}

// scan is one pass over some components and some of their coefficients.
type scan struct {
	f          *jpegFile
	components []*component
	dc, ac     []*huffman
	from, to   int // coefficients
	high, low  uint
	last       []int // DC value of the block before
	skip       int   // blocks that have no more coefficients

	bits   uint32
	count  uint
	failed bool
}

// scan reads the header of a scan and then its blocks.
func (f *jpegFile) scan(b []byte) error {
	if f.components == nil || len(b) < 1 || b[0] < 1 || b[0] > 3 || len(b) != 4+2*int(b[0]) {
		return errJPEG
	}
	n := int(b[0])
	s := &scan{f: f, last: make([]int, n), from: int(b[1+2*n]), to: int(b[2+2*n]), high: uint(b[3+2*n] >> 4), low: uint(b[3+2*n] & 15)}
	if !f.progressive {
		s.from, s.to, s.high, s.low = 0, 63, 0, 0
	}
	if s.from > s.to || s.to > 63 || s.low > 13 || f.progressive && (s.from == 0) != (s.to == 0) || s.from > 0 && n > 1 {
		return errJPEG
	}
	for i := range n {
		for _, c := range f.components {
			if c.id == int(b[1+2*i]) {
				s.components = append(s.components, c)
				s.dc = append(s.dc, f.huffman[0][b[2+2*i]>>4&3])
				s.ac = append(s.ac, f.huffman[1][b[2+2*i]&3])
			}
		}
		if len(s.components) != i+1 {
			return errJPEG
		}
	}
	for i := range s.components {
		if s.from == 0 && s.high == 0 && s.dc[i] == nil || s.to > 0 && s.ac[i] == nil {
			return errJPEG
		}
	}
	if s.blocks(); s.failed {
		return errJPEG
	}
	return nil
}

// blocks walks the blocks of the scan.
func (s *scan) blocks() {
	hMax, vMax := s.f.sampling()
	across, down := ceilDiv(s.f.width, 8*hMax), ceilDiv(s.f.height, 8*vMax)
	alone := len(s.components) == 1
	if alone {
		across, down = ceilDiv(s.components[0].w, 8), ceilDiv(s.components[0].height, 8)
	}
	for m := range across * down {
		if s.f.restart > 0 && m > 0 && m%s.f.restart == 0 {
			s.resume()
		}
		for i, c := range s.components {
			h, v := c.h, c.v
			if alone {
				h, v = 1, 1
			}
			for k := range h * v {
				x, y := m%across*h+k%h, m/across*v+k/h
				s.block(i, c.coefficients[64*(y*c.blocksX+x):][:64])
			}
		}
		if s.failed {
			return
		}
	}
}

// resume goes on behind the next restart marker.
func (s *scan) resume() {
	s.bits, s.count, s.skip = 0, 0, 0
	clear(s.last)
	for d := s.f.data; len(d) >= 2; d = d[1:] {
		if d[0] == 0xff && d[1] >= 0xd0 && d[1] <= 0xd7 {
			s.f.data = d[2:]
			return
		}
	}
	s.failed = true
}

// bit takes one bit, 0 behind the end of the data.
func (s *scan) bit() int {
	if s.count == 0 {
		d := s.f.data
		switch {
		case len(d) == 0, d[0] == 0xff && (len(d) < 2 || d[1] != 0):
			s.failed = true
			return 0
		case d[0] == 0xff:
			s.f.data = d[2:]
		default:
			s.f.data = d[1:]
		}
		s.bits, s.count = uint32(d[0]), 8
	}
	s.count--
	return int(s.bits >> s.count & 1)
}

// take reads an unsigned number of n bits.
func (s *scan) take(n int) int {
	v := 0
	for range n {
		v = v<<1 | s.bit()
	}
	return v
}

// signed reads a number of n bits of which the first one, when 0, marks
// negative numbers.
func (s *scan) signed(n int) int {
	v := s.take(n)
	if n > 0 && v < 1<<(n-1) {
		v -= 1<<n - 1
	}
	return v
}

// symbol reads a Huffman code.
func (s *scan) symbol(h *huffman) int {
	code := 0
	for n := 1; n <= 16; n++ {
		code = code<<1 | s.bit()
		if code >= h.first[n] && code < h.behind[n] {
			return int(h.values[h.at[n]+code-h.first[n]])
		}
	}
	s.failed = true
	return 0
}

// block reads what the scan holds of one block of component i.
func (s *scan) block(i int, b []int16) {
	if s.failed {
		return
	}
	from := s.from
	if from == 0 {
		if s.high == 0 {
			s.last[i] += s.signed(s.symbol(s.dc[i]) & 15)
			b[0] = int16(s.last[i] << s.low)
		} else if s.bit() == 1 {
			b[0] |= 1 << s.low
		}
		from = 1
	}
	switch {
	case s.to == 0:
	case s.high == 0:
		s.coefficients(s.ac[i], b, from)
	default:
		s.refine(s.ac[i], b, from)
	}
}

// coefficients reads runs of zeros, each followed by a value.
func (s *scan) coefficients(h *huffman, b []int16, k int) {
	if s.skip > 0 {
		s.skip--
		return
	}
	for ; k <= s.to && !s.failed; k++ {
		symbol := s.symbol(h)
		run, size := symbol>>4, symbol&15
		switch {
		case size > 0:
			if k += run; k > 63 {
				s.failed = true
				return
			}
			b[k] = int16(s.signed(size) << s.low)
		case run == 15:
			k += 15
		default:
			s.skip = 1<<run - 1 + s.take(run)
			return
		}
	}
}

// refine adds one bit to values that are not zero yet come between the runs.
func (s *scan) refine(h *huffman, b []int16, k int) {
	if s.skip == 0 {
		for ; k <= s.to && !s.failed; k++ {
			symbol := s.symbol(h)
			run, value := symbol>>4, int16(0)
			switch symbol & 15 {
			case 0:
				if run < 15 {
					s.skip = 1<<run + s.take(run)
				}
			default:
				value = -1 << s.low
				if s.bit() == 1 {
					value = 1 << s.low
				}
			}
			if s.skip > 0 {
				break
			}
			for ; k <= s.to; k++ {
				if b[k] != 0 {
					s.improve(&b[k])
				} else if run--; run < 0 {
					break
				}
			}
			if value != 0 && k <= 63 {
				b[k] = value
			}
		}
	}
	if s.skip > 0 {
		for ; k <= s.to; k++ {
			if b[k] != 0 {
				s.improve(&b[k])
			}
		}
		s.skip--
	}
}

// improve reads the next bit of a value.
func (s *scan) improve(v *int16) {
	if s.bit() == 0 {
		return
	}
	if *v > 0 {
		*v += 1 << s.low
	} else {
		*v -= 1 << s.low
	}
}
