package main

import (
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"

	"pare/demo"
	"pare/onnx"
)

func main() {
	log.SetFlags(0)
	seed := flag.Uint64("seed", 1, "seed of the weights, the training pictures and their order")
	size := flag.Int("pictures", 20000, "number of training pictures")
	epochs := flag.Int("epochs", 3, "passes over the training pictures")
	out := flag.String("o", "demo/demo.onnx", "file to write")
	flag.Parse()
	if err := run(*seed, *size, *epochs, *out); err != nil {
		log.Fatal(err)
	}
}

// run trains a network, measures it on held-out pictures and writes it.
func run(seed uint64, size, epochs int, out string) error {
	if seed == demo.Held {
		return fmt.Errorf("seed %d belongs to the held-out pictures", seed)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	net := newNetwork(r)
	fit(net, demo.Draw(seed, size), epochs, r, os.Stderr)
	fmt.Fprintf(os.Stderr, "held-out pictures: %.2f %% right\n", 100*accuracy(net, demo.Data(2000)))
	return onnx.Save(out, export(net), onnx.SaveOptions{})
}
