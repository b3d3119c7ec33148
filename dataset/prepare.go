package dataset

import (
	"fmt"
	"image"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/image/draw"

	"pare/tensor"
)

var imageOptions = []string{"resize", "crop", "mean", "std", "layout", "order", "classes", "offset", "input"}

// prepare turns pictures into a network's input. Pixels are scaled to 0..1,
// then mean and std are applied.
type prepare struct {
	resize   int // length of the shorter side after scaling; 0 leaves the size
	cropH    int // size of the centre crop; 0 leaves the size
	cropW    int
	mean     []float64 // one value or one per channel
	std      []float64
	nhwc     bool
	bgr      bool
	classes  int // 0 when unknown
	offset   int // added to every label
	input    string
	settings url.Values
}

func parsePrepare(q url.Values) (prepare, error) {
	p := prepare{mean: []float64{0}, std: []float64{1}, settings: q, input: q.Get("input")}
	var err error
	number := func(name string, least int) int {
		text := q.Get(name)
		if text == "" || err != nil {
			return 0
		}
		n, e := strconv.Atoi(text)
		if e != nil || n < least || n > 1<<16 {
			err = fmt.Errorf("option %s=%s: want a whole number from %d", name, text, least)
		}
		return n
	}
	list := func(name string, def []float64) []float64 {
		text := q.Get(name)
		if text == "" || err != nil {
			return def
		}
		var out []float64
		for _, f := range strings.Split(text, ",") {
			x, e := strconv.ParseFloat(f, 64)
			if e != nil || (name == "std" && x <= 0) {
				err = fmt.Errorf("option %s=%s: want numbers separated by commas", name, text)
			}
			out = append(out, x)
		}
		return out
	}
	choice := func(name string, options ...string) string {
		text := q.Get(name)
		for _, o := range options {
			if text == o || text == "" {
				return text
			}
		}
		if err == nil {
			err = fmt.Errorf("option %s=%s: want %s", name, text, strings.Join(options, " or "))
		}
		return ""
	}
	p.resize = number("resize", 1)
	if w, h, ok := strings.Cut(q.Get("crop"), "x"); ok {
		var errW, errH error
		p.cropW, errW = strconv.Atoi(w)
		p.cropH, errH = strconv.Atoi(h)
		if errW != nil || errH != nil || p.cropW < 1 || p.cropH < 1 {
			return p, fmt.Errorf("option crop=%s: want a number or WIDTHxHEIGHT", q.Get("crop"))
		}
	} else {
		p.cropH = number("crop", 1)
		p.cropW = p.cropH
	}
	p.mean, p.std = list("mean", p.mean), list("std", p.std)
	p.nhwc = choice("layout", "nchw", "nhwc") == "nhwc"
	p.bgr = choice("order", "rgb", "bgr") == "bgr"
	p.classes, p.offset = number("classes", 1), number("offset", 0)
	return p, err
}

// label maps a stored label to the network's class.
func (p prepare) label(stored int) (int, error) {
	c := stored + p.offset
	if p.classes > 0 && c >= p.classes {
		return 0, fmt.Errorf("label %d (offset %d) is not below classes=%d", stored, p.offset, p.classes)
	}
	return c, nil
}

// String is the preprocessing as options of a specification.
func (p prepare) String() string { return spell(p.settings) }

// pixels is a picture as planes of 0..255 values: pix[c][y*w+x].
type pixels struct {
	w, h int
	pix  [][]uint8
}

// fit scales and crops a decoded picture to RGB planes.
func (p prepare) fit(img image.Image) (pixels, error) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if w == 0 || h == 0 {
		return pixels{}, fmt.Errorf("empty picture")
	}
	if p.resize > 0 && min(w, h) != p.resize {
		if w < h {
			w, h = p.resize, max(1, (h*p.resize+w/2)/w)
		} else {
			w, h = max(1, (w*p.resize+h/2)/h), p.resize
		}
	}
	rgba := image.NewRGBA(image.Rect(0, 0, w, h))
	if w == b.Dx() && h == b.Dy() {
		draw.Draw(rgba, rgba.Bounds(), img, b.Min, draw.Src)
	} else {
		draw.BiLinear.Scale(rgba, rgba.Bounds(), img, b, draw.Src, nil)
	}
	cw, ch := w, h
	if p.cropW > 0 {
		cw, ch = p.cropW, p.cropH
	}
	if cw > w || ch > h {
		return pixels{}, fmt.Errorf("a picture of %dx%d is smaller than the crop %dx%d; add resize=", w, h, cw, ch)
	}
	x0, y0 := (w-cw)/2, (h-ch)/2
	out := pixels{cw, ch, [][]uint8{make([]uint8, cw*ch), make([]uint8, cw*ch), make([]uint8, cw*ch)}}
	for y := range ch {
		row := rgba.Pix[(y0+y)*rgba.Stride+x0*4:]
		for x := range cw {
			for c := range 3 {
				out.pix[c][y*cw+x] = row[x*4+c]
			}
		}
	}
	return out, nil
}

// crop cuts the centre out of planes that need no decoding.
func (p prepare) crop(in pixels) (pixels, error) {
	if p.resize > 0 && min(in.w, in.h) != p.resize {
		img := image.NewRGBA(image.Rect(0, 0, in.w, in.h))
		for i := range in.w * in.h {
			for c := range 3 {
				img.Pix[i*4+c] = in.pix[min(c, len(in.pix)-1)][i]
			}
			img.Pix[i*4+3] = 255
		}
		out, err := p.fit(img)
		out.pix = out.pix[:min(len(in.pix), len(out.pix))]
		return out, err
	}
	if p.cropW == 0 || (p.cropW == in.w && p.cropH == in.h) {
		return in, nil
	}
	if p.cropW > in.w || p.cropH > in.h {
		return in, fmt.Errorf("a picture of %dx%d is smaller than the crop %dx%d; add resize=", in.w, in.h, p.cropW, p.cropH)
	}
	x0, y0 := (in.w-p.cropW)/2, (in.h-p.cropH)/2
	out := pixels{w: p.cropW, h: p.cropH}
	for _, plane := range in.pix {
		cut := make([]uint8, 0, p.cropW*p.cropH)
		for y := range p.cropH {
			cut = append(cut, plane[(y0+y)*in.w+x0:][:p.cropW]...)
		}
		out.pix = append(out.pix, cut)
	}
	return out, nil
}

// tensor normalises pictures of one size into a batch.
func (p prepare) tensor(pics []pixels) (*tensor.Tensor, error) {
	n, w, h, ch := len(pics), pics[0].w, pics[0].h, len(pics[0].pix)
	for _, v := range [][]float64{p.mean, p.std} {
		if len(v) != 1 && len(v) != ch {
			return nil, fmt.Errorf("%d values of mean or std for %d channels", len(v), ch)
		}
	}
	shape := []int{n, ch, h, w}
	if p.nhwc {
		shape = []int{n, h, w, ch}
	}
	out := tensor.New(tensor.Float32, shape...)
	dst := tensor.Data[float32](out)
	for i, pic := range pics {
		if pic.w != w || pic.h != h {
			return nil, fmt.Errorf("pictures of %dx%d and %dx%d in one batch; add resize= and crop=", w, h, pic.w, pic.h)
		}
		for c := range ch {
			src := pic.pix[c]
			if p.bgr {
				src = pic.pix[ch-1-c]
			}
			// One table look-up per pixel: there are only 256 values.
			var table [256]float32
			m, s := p.mean[min(c, len(p.mean)-1)], p.std[min(c, len(p.std)-1)]
			for k := range table {
				table[k] = float32((float64(k)/255 - m) / s)
			}
			if p.nhwc {
				at := dst[i*h*w*ch:]
				for k, v := range src {
					at[k*ch+c] = table[v]
				}
				continue
			}
			at := dst[(i*ch+c)*h*w:]
			for k, v := range src {
				at[k] = table[v]
			}
		}
	}
	return out, nil
}
