package op

import (
	"errors"
	"fmt"

	"pare/internal/picture"
	"pare/ir"
	"pare/tensor"
)

// imageDecoderDef decodes an image file to [height, width, channels].
// https://onnx.ai/onnx/operators/onnx__ImageDecoder.html
var imageDecoderDef = Def{
	Name: "ImageDecoder", Versions: []int{20}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		channels, err := pixelChannels(c.Node)
		c.Set(0, ir.TensorType(tensor.Uint8, ir.Unknown, ir.Unknown, ir.Known(channels)))
		return err
	},
	Eval: evalImageDecoder,
}

// maxPixels bounds decoded images.
const maxPixels = 1 << 26

// pixelChannels is how many channels the attribute pixel_format asks for.
func pixelChannels(n *ir.Node) (int, error) {
	switch format := n.Str("pixel_format", "RGB"); format {
	case "RGB", "BGR":
		return 3, nil
	case "Grayscale":
		return 1, nil
	default:
		return 0, fmt.Errorf("pixel_format %q is unknown; use RGB, BGR or Grayscale", format)
	}
}

func evalImageDecoder(c *Eval) error {
	data := c.needShape(0, -1)
	if data.Type != tensor.Uint8 {
		return unsupported(data.Type)
	}
	channels, err := pixelChannels(c.Node)
	if err != nil {
		return err
	}
	img, err := picture.Decode(data.Bytes(), maxPixels)
	if errors.Is(err, picture.ErrFormat) || errors.Is(err, picture.ErrTooLarge) {
		return err
	}
	if err != nil { // by the operator's definition, broken files are empty images
		c.Set(0, tensor.New(tensor.Uint8, 0, 0, channels))
		return nil
	}
	pix := img.Pix
	switch c.Node.Str("pixel_format", "RGB") {
	case "Grayscale":
		pix = img.Gray()
	case "BGR":
		for i := 0; i < len(pix); i += 3 {
			pix[i], pix[i+2] = pix[i+2], pix[i]
		}
	}
	c.Set(0, tensor.Of([]int{img.Height, img.Width, channels}, pix))
	return nil
}
