package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // registers the format
	_ "image/png"  // registers the format

	_ "golang.org/x/image/bmp"  // registers the format
	_ "golang.org/x/image/tiff" // registers the format
	_ "golang.org/x/image/webp" // registers the format
)

// RGB is an image: rows of pixels of three bytes.
type RGB struct {
	Width, Height int
	Pix           []byte
}

// ErrTooLarge is wrapped by errors about images above the limit given.
var ErrTooLarge = errors.New("image is too large")

// ErrFormat is wrapped by errors about formats that are known by name only.
var ErrFormat = errors.New("image format cannot be decoded")

// Decode decodes an image of at most maxPixels pixels. Transparency is dropped.
func Decode(data []byte, maxPixels int) (*RGB, error) {
	if jpeg2000(data) {
		return nil, fmt.Errorf("JPEG 2000: %w", ErrFormat)
	}
	if len(data) > 2 && data[0] == 'P' && data[1] >= '1' && data[1] <= '6' {
		return decodePortable(data, maxPixels)
	}
	if bytes.HasPrefix(data, []byte("\xff\xd8")) {
		if img, err := decodeJPEG(data, maxPixels); err == nil || errors.Is(err, ErrTooLarge) {
			return img, err
		}
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height {
		return nil, fmt.Errorf("%w: %d × %d pixels", ErrTooLarge, config.Width, config.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if y, ok := img.(*image.YCbCr); ok {
		if format == "webp" {
			return fromYCbCr(y, studioRGB, upsampleBilinear), nil
		}
		return fromYCbCr(y, fullRGB, upsampleJPEG), nil
	}
	return fromImage(img), nil
}

// jpeg2000 recognises the file format and the bare code stream.
func jpeg2000(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\x00\x00\x00\x0cjP  ")) || bytes.HasPrefix(data, []byte("\xff\x4f\xff\x51"))
}

// Gray is the luminance of every pixel, with the weights of ITU-R 601 in 16-bit
// fixed point.
func (m *RGB) Gray() []byte {
	out := make([]byte, m.Width*m.Height)
	for i := range out {
		p := m.Pix[3*i:]
		out[i] = byte((uint32(p[0])*19595 + uint32(p[1])*38470 + uint32(p[2])*7471 + 0x8000) >> 16)
	}
	return out
}

// Image is a copy for the drawing functions of the standard library.
func (m *RGB) Image() *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, m.Width, m.Height))
	for i := range m.Width * m.Height {
		copy(out.Pix[4*i:], m.Pix[3*i:3*i+3])
		out.Pix[4*i+3] = 0xff
	}
	return out
}

func newRGB(w, h int) *RGB { return &RGB{w, h, make([]byte, 3*w*h)} }

// fromImage converts any image pixel by pixel.
func fromImage(img image.Image) *RGB {
	b := img.Bounds()
	out := newRGB(b.Dx(), b.Dy())
	for y := range out.Height {
		for x := range out.Width {
			c := color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			copy(out.Pix[3*(y*out.Width+x):], []byte{c.R, c.G, c.B})
		}
	}
	return out
}
