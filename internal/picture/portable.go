package picture

import (
	"errors"
	"fmt"
)

// decodePortable reads PBM, PGM and PPM, as text (P1 to P3) or raw (P4 to P6).
func decodePortable(data []byte, maxPixels int) (*RGB, error) {
	s := &scanner{data: data[2:]}
	kind := int(data[1] - '0')
	w, h, top := s.number(), s.number(), 1
	if kind != 1 && kind != 4 {
		top = s.number()
	}
	if s.err != nil {
		return nil, s.err
	}
	if w < 1 || h < 1 || top < 1 || top > 65535 {
		return nil, fmt.Errorf("a portable image of %d × %d pixels and %d levels", w, h, top)
	}
	if w > maxPixels/h {
		return nil, fmt.Errorf("%w: %d × %d pixels", ErrTooLarge, w, h)
	}
	channels := 1
	if kind == 3 || kind == 6 {
		channels = 3
	}
	// Every sample takes at least a bit: refuse before allocating.
	if len(s.data) < w*h*channels/8 {
		return nil, errors.New("the portable image is cut off")
	}
	if kind > 3 {
		s.skip()
	}
	out := newRGB(w, h)
	for i := range w * h {
		for c := range channels {
			v := s.sample(kind, i%w, top)
			out.Pix[3*i+c] = byte((v*255 + top/2) / top)
		}
		if channels == 1 {
			out.Pix[3*i+1], out.Pix[3*i+2] = out.Pix[3*i], out.Pix[3*i]
		}
	}
	return out, s.err
}

// scanner walks the text and samples of a portable image.
type scanner struct {
	data []byte
	bits byte
	err  error
}

// next takes one byte, 0 behind the end.
func (s *scanner) next() byte {
	if len(s.data) == 0 {
		s.err = errors.New("the portable image is cut off")
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return b
}

// skip drops the single blank before raw samples.
func (s *scanner) skip() { s.next() }

// blanks drops white space and comments.
func (s *scanner) blanks() {
	for len(s.data) > 0 {
		switch s.data[0] {
		case ' ', '\t', '\r', '\n', '\v', '\f':
			s.data = s.data[1:]
		case '#':
			for len(s.data) > 0 && s.data[0] != '\n' {
				s.data = s.data[1:]
			}
		default:
			return
		}
	}
}

// number reads a decimal number.
func (s *scanner) number() int {
	s.blanks()
	n, digits := 0, 0
	for len(s.data) > 0 && s.data[0] >= '0' && s.data[0] <= '9' && digits < 10 {
		n = n*10 + int(s.next()-'0')
		digits++
	}
	if digits == 0 && s.err == nil {
		s.err = errors.New("the portable image has no number where one is needed")
	}
	return n
}

// sample reads one sample in column x; bitmaps count black as 1.
func (s *scanner) sample(kind, x, top int) int {
	var v int
	switch kind {
	case 1:
		s.blanks()
		v = 1 - int(s.next()&1)
	case 4:
		if x%8 == 0 {
			s.bits = s.next()
		}
		v = 1 - int(s.bits>>(7-x%8)&1)
	case 2, 3:
		v = s.number()
	default:
		if v = int(s.next()); top > 255 {
			v = v<<8 | int(s.next())
		}
	}
	return min(v, top)
}
