"""Writes the peers' own 8-bit files of networks whose speed is compared.

    speedfiles.py FOLDER [--only NETWORK]

FOLDER holds what `go run ./results/speed -prepare` wrote: NETWORK.onnx with
NETWORK/batch8/INPUT.npy, samples that calibrate too. Beside each network NETWORK.RECIPE.onnx
(or .xml, for OpenVINO) is put, for the recipes that its kind of network is known to run fastest
with. The files are good for speed alone; those that are there already stay.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx

from recipes import RECIPES, nncf_static, openvino_rewrite

# The suffix of what a recipe writes.
SUFFIX = {"ort-static-fast": ".onnx", "nncf": ".xml", "ort-dynamic": ".onnx", "ort-nbits4-fast": ".onnx"}


class Samples:
    """A network of the folder as recipes want it."""

    task, batch = "classification", 1

    def __init__(self, path):
        self.file = str(path)
        self.arrays = {f.stem: np.load(f) for f in sorted((path.with_suffix("") / "batch8").glob("*.npy"))}

    def calibration(self, size):
        for i in range(0, 8, size):
            yield {name: np.ascontiguousarray(x[i : i + size]) for name, x in self.arrays.items()}


def wanted(path):
    """The recipes for a network: of convolutions, with attention, or of dense layers alone."""
    kinds = {node.op_type for node in onnx.load(path, load_external_data=False).graph.node}
    if "Softmax" in kinds:
        return ["ort-static-fast", "nncf", "ort-dynamic"]
    return ["ort-static-fast", "nncf"] if "Conv" in kinds else ["ort-dynamic", "ort-nbits4-fast"]


def quantise(recipe, path, out):
    """Writes a file; under a name that is not taken for a finished one before it is there."""
    scratch = out.with_name("unfinished" + out.suffix)
    if recipe == "nncf":
        nncf_static(Samples(path), scratch, rewrite=openvino_rewrite)
        scratch.with_suffix(".bin").replace(out.with_suffix(".bin"))
    else:
        RECIPES[recipe].apply(Samples(path), str(scratch))
    scratch.replace(out)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder", type=pathlib.Path)
    args.add_argument("--only", default="")
    args.add_argument("--one", nargs=2, metavar=("RECIPE", "NETWORK"), help="this file alone, in this process")
    a = args.parse_args()
    if a.one:
        recipe, name = a.one
        path = a.folder / f"{name}.onnx"
        quantise(recipe, path, path.with_suffix(f".{recipe}{SUFFIX[recipe]}"))
        return
    for inputs in sorted(a.folder.glob("*/batch8")):
        path = inputs.parent.with_suffix(".onnx")
        if a.only not in path.stem:
            continue
        for recipe in wanted(path):
            if path.with_suffix(f".{recipe}{SUFFIX[recipe]}").exists():
                continue
            done = subprocess.run([sys.executable, __file__, a.folder, "--one", recipe, path.stem], capture_output=True, text=True)
            print(path.stem, recipe, "ok" if not done.returncode else done.stderr.strip().splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
