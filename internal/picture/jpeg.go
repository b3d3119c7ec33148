package picture

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// errJPEG is what broken or unusual JPEG files give; the standard library then
// has a try.
var errJPEG = errors.New("JPEG file is broken or of an unusual kind")

// jpegFile is the state of decoding a JPEG file, sequential or progressive,
// with Huffman codes and 8 bits.
type jpegFile struct {
	data          []byte // what is left
	width, height int
	progressive   bool
	components    []*component
	quant         [4][64]int32 // in zigzag order
	huffman       [2][4]*huffman
	restart       int // MCUs between restart markers; 0 for none
	rgb           bool
	scans         int
}

// maxScans bounds the passes over an image, which cost time but hardly a byte.
const maxScans = 200

// component is one channel.
type component struct {
	id, h, v, quant int
	blocksX         int // of the array, whole MCUs
	blocksY         int
	w, height       int     // in samples
	coefficients    []int16 // 64 for each block, in zigzag order
}

// decodeJPEG decodes the file with the arithmetic of libjpeg's accurate integer
// transform, whose pixels most frameworks see.
func decodeJPEG(data []byte, maxPixels int) (*RGB, error) {
	f := &jpegFile{data: data[min(2, len(data)):]}
	for {
		marker, segment, err := f.segment()
		if err != nil {
			return nil, err
		}
		switch {
		case marker == 0xd9:
			return f.image()
		case marker == 0xda:
			if f.scans++; f.scans > maxScans {
				return nil, errJPEG
			}
			err = f.scan(segment)
		case marker == 0xc4:
			err = f.huffmanTables(segment)
		case marker == 0xdb:
			err = f.quantTables(segment)
		case marker <= 0xc2 && marker >= 0xc0:
			f.progressive = marker == 0xc2
			err = f.frame(segment, maxPixels)
		case marker == 0xdd && len(segment) == 2:
			f.restart = int(binary.BigEndian.Uint16(segment))
		case marker == 0xee && len(segment) >= 12 && string(segment[:5]) == "Adobe":
			f.rgb = segment[11] == 0
		case marker > 0xc2 && marker <= 0xcf:
			err = errJPEG
		}
		if err != nil {
			return nil, err
		}
	}
}

// segment takes the next marker and what belongs to it.
func (f *jpegFile) segment() (marker byte, body []byte, err error) {
	for len(f.data) >= 2 && (f.data[0] != 0xff || f.data[1] == 0xff || f.data[1] == 0) {
		f.data = f.data[1:] // padding
	}
	if len(f.data) < 2 {
		return 0xd9, nil, nil // a missing end is forgiven
	}
	marker, f.data = f.data[1], f.data[2:]
	if marker == 0xd9 || marker >= 0xd0 && marker <= 0xd7 || marker == 1 {
		return marker, nil, nil
	}
	if len(f.data) < 2 {
		return 0, nil, errJPEG
	}
	n := int(binary.BigEndian.Uint16(f.data))
	if n < 2 || n > len(f.data) {
		return 0, nil, errJPEG
	}
	body, f.data = f.data[2:n], f.data[n:]
	return marker, body, nil
}

func (f *jpegFile) quantTables(b []byte) error {
	for len(b) > 0 {
		wide, id := int(b[0]>>4), b[0]&15
		b = b[1:]
		if wide > 1 || id > 3 || len(b) < 64<<wide {
			return errJPEG
		}
		for i := range 64 {
			f.quant[id][i] = int32(b[i])
			if wide == 1 {
				f.quant[id][i] = int32(binary.BigEndian.Uint16(b[2*i:]))
			}
		}
		b = b[64<<wide:]
	}
	return nil
}

func (f *jpegFile) huffmanTables(b []byte) error {
	for len(b) > 0 {
		if len(b) < 17 || b[0]>>4 > 1 || b[0]&15 > 3 {
			return errJPEG
		}
		n := 0
		for _, c := range b[1:17] {
			n += int(c)
		}
		if len(b) < 17+n || n > 256 {
			return errJPEG
		}
		f.huffman[b[0]>>4][b[0]&15] = newHuffman(b[1:17], b[17:17+n])
		b = b[17+n:]
	}
	return nil
}

// frame reads sizes and makes room for the coefficients.
func (f *jpegFile) frame(b []byte, maxPixels int) error {
	if f.components != nil || len(b) < 6 || b[0] != 8 || len(b) != 6+3*int(b[5]) || b[5] != 1 && b[5] != 3 {
		return errJPEG
	}
	f.height, f.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if f.width < 1 || f.height < 1 {
		return errJPEG
	}
	if f.width > maxPixels/f.height {
		return fmt.Errorf("%w: %d × %d pixels", ErrTooLarge, f.width, f.height)
	}
	for i := 6; i < len(b); i += 3 {
		c := &component{id: int(b[i]), h: int(b[i+1] >> 4), v: int(b[i+1] & 15), quant: int(b[i+2])}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quant > 3 {
			return errJPEG
		}
		f.components = append(f.components, c)
	}
	if len(f.components) == 1 {
		f.components[0].h, f.components[0].v = 1, 1
	} else if ids := f.components; ids[0].id == 'R' && ids[1].id == 'G' && ids[2].id == 'B' {
		f.rgb = true
	}
	hMax, vMax := f.sampling()
	for _, c := range f.components {
		if hMax%c.h != 0 || vMax%c.v != 0 {
			return errJPEG
		}
		c.w, c.height = ceilDiv(f.width*c.h, hMax), ceilDiv(f.height*c.v, vMax)
		c.blocksX, c.blocksY = ceilDiv(f.width, 8*hMax)*c.h, ceilDiv(f.height, 8*vMax)*c.v
		c.coefficients = make([]int16, 64*c.blocksX*c.blocksY)
	}
	return nil
}

// sampling is the largest sampling factors.
func (f *jpegFile) sampling() (h, v int) {
	for _, c := range f.components {
		h, v = max(h, c.h), max(v, c.v)
	}
	return
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// image transforms the coefficients to pixels.
func (f *jpegFile) image() (*RGB, error) {
	if f.components == nil {
		return nil, errJPEG
	}
	var planes []plane
	for _, c := range f.components {
		p := plane{make([]byte, 64*c.blocksX*c.blocksY), 8 * c.blocksX, c.w, c.height}
		for i := range c.blocksX * c.blocksY {
			at := i/c.blocksX*8*p.stride + i%c.blocksX*8
			inverseDCT(p.pix[at:], p.stride, c.coefficients[64*i:64*i+64], &f.quant[c.quant])
		}
		planes = append(planes, upsampleJPEG(p, f.width, f.height))
	}
	out := newRGB(f.width, f.height)
	for i := range f.width * f.height {
		x, y := i%f.width, i/f.width
		p := out.Pix[3*i:]
		switch {
		case len(planes) == 1:
			v := byte(planes[0].at(x, y))
			p[0], p[1], p[2] = v, v, v
		case f.rgb:
			p[0], p[1], p[2] = byte(planes[0].at(x, y)), byte(planes[1].at(x, y)), byte(planes[2].at(x, y))
		default:
			p[0], p[1], p[2] = fullRGB(planes[0].at(x, y), planes[1].at(x, y), planes[2].at(x, y))
		}
	}
	return out, nil
}
