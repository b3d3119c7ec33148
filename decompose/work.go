package decompose

// work is what one layer of a chain has to do.
type work struct {
	places  int64 // of the result
	out, in int   // channels; in those that one filter reads
	taps    int
	// quick says that Winograd's form suits it: 3x3 taps one after the other.
	quick bool
}

func (w *work) params() int64 { return int64(w.out * w.in * w.taps) }

func (w *work) macs() int64 { return w.places * w.params() }

// What a layer takes, in the time of a multiply-accumulate in float: estimates, which
// the times of decomposed networks agree with. The rule is made to say whether two
// layers take less time than one, not how much.
const (
	lanes      = 16     // filters that are worked out together
	perResult  = 16     // to write a number and read it again
	perWeight  = 12     // to read a weight from memory
	perLayer   = 60_000 // to begin with
	winogradBy = 2      // products that Winograd's form saves, with its transforms
)

// time is how long a layer takes, in multiply-accumulates.
func (w *work) time() float64 {
	products := float64(w.places) * float64(roundUp(w.out, lanes)*w.in*w.taps)
	if w.quick {
		products /= winogradBy
	}
	return products + perResult*float64(w.places)*float64(w.out) + perWeight*float64(w.params()) + perLayer
}

// total adds up what the layers of a chain cost.
func total(list []work) (macs, params int64, time float64) {
	for i := range list {
		macs += list[i].macs()
		params += list[i].params()
		time += list[i].time()
	}
	return macs, params, time
}
