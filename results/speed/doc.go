// Command speed times pare against ONNX Runtime and OpenVINO, float and 8 bits, on
// the networks, threads, batches and instruction sets of results/speed.md.
//
//	go run ./results/speed -dir FOLDER -prepare
//	PYTHON x/peers/speedfiles.py FOLDER
//	go run ./results/speed -dir FOLDER -python PYTHON [-avx2 FOLDER]
//
// The first command puts networks, random inputs and pare's compressed files into
// the folder (about 2 GB), the second the peers' own 8-bit files (see x/peers), the
// third times: every engine in a process of its own, one after the other in changing
// order. -avx2 names a folder of Python packages whose engines find no AVX-512, for
// the rows of AVX2 on a machine that has it; without one, or without PYTHON, rows of
// the peers say so. PARE_PEERS does in place of -python.
//
// A cell is a network with instruction set, threads and batch; its figures are kept
// in results/speed.json as soon as they are there, and a run that was stopped goes
// on. -networks, -columns, -isa, -threads and -batches choose, -again times anew what
// has figures, -seconds is the time of a cell. -render writes the page alone.
package main
