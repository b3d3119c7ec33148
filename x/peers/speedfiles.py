"""Writes the peers' own 8-bit files of networks whose speed is compared.

    speedfiles.py FOLDER [--only NETWORK]

FOLDER holds what `go run ./results/speed -prepare` wrote: NETWORK.onnx with
NETWORK/batch8/INPUT.npy, samples that calibrate too. Beside each network its files
are put: NETWORK.ort-static-fast.onnx, NETWORK.nncf.xml and, for transformers,
NETWORK.ort-dynamic.onnx. They are good for speed alone.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx

from recipes import RECIPES, nncf_static, openvino_rewrite

SUFFIX = {"ort-static-fast": ".onnx", "nncf": ".xml", "ort-dynamic": ".onnx"}


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
    """The recipes that a network is quantised with: the static ones, and for transformers whichever."""
    attention = any(node.op_type == "Softmax" for node in onnx.load(path, load_external_data=False).graph.node)
    return list(SUFFIX) if attention else list(SUFFIX)[:2]


def quantise(recipe, path, out):
    if recipe == "nncf":
        nncf_static(Samples(path), out, rewrite=openvino_rewrite)
    else:
        RECIPES[recipe].apply(Samples(path), out)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder", type=pathlib.Path)
    args.add_argument("--only", default="")
    args.add_argument("--one", nargs=2, metavar=("RECIPE", "NETWORK"), help="this file alone, in this process")
    a = args.parse_args()
    if a.one:
        recipe, name = a.one
        quantise(recipe, a.folder / f"{name}.onnx", str(a.folder / f"{name}.{recipe}{SUFFIX[recipe]}"))
        return
    for inputs in sorted(a.folder.glob("*/batch8")):
        path = inputs.parent.with_suffix(".onnx")
        if a.only not in path.stem:
            continue
        for recipe in wanted(path):
            done = subprocess.run([sys.executable, __file__, a.folder, "--one", recipe, path.stem], capture_output=True, text=True)
            print(path.stem, recipe, "ok" if not done.returncode else done.stderr.strip().splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
