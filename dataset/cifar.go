package dataset

import (
	"context"
	"fmt"
	"os"
)

const (
	cifarSide   = 32
	cifarPlane  = cifarSide * cifarSide
	cifarRecord = 1 + 3*cifarPlane
)

// cifar is CIFAR-10 in its binary form: records of one label byte and three
// planes of 32x32 bytes.
type cifar struct {
	prepare
	data []byte
}

func openCIFAR(s Spec) (Set, error) {
	p, err := parsePrepare(s.query)
	if err != nil {
		return nil, err
	}
	c := &cifar{prepare: p}
	for _, path := range s.Paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if len(raw)%cifarRecord != 0 {
			return nil, fmt.Errorf("%s: %d bytes are not whole records of %d", path, len(raw), cifarRecord)
		}
		c.data = append(c.data, raw...)
	}
	return c, nil
}

func (c *cifar) Len() int         { return len(c.data) / cifarRecord }
func (c *cifar) Task() Task       { return Classification }
func (c *cifar) Prepared() string { return c.String() }

func (c *cifar) Batch(ctx context.Context, lo, hi int) (Batch, error) {
	return c.batch(ctx, lo, hi, func(i int) (pixels, int, error) {
		r := c.data[i*cifarRecord : (i+1)*cifarRecord]
		pix := pixels{w: cifarSide, h: cifarSide}
		for k := range 3 {
			pix.pix = append(pix.pix, r[1+k*cifarPlane:1+(k+1)*cifarPlane])
		}
		pix, err := c.crop(pix)
		return pix, int(r[0]), err
	})
}
