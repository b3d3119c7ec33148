"""Time and peak memory of compressing a model to 8 bits: the peers against pare.

    compress.py MODEL.onnx --pare PARE [--rounds 3] [--results results/peers.json]

Every run is a process of its own, the tools take turns. Tools that want data
get 32 random pictures, so what they write is good for its cost alone.
"""

import argparse
import json
import os
import pathlib
import statistics
import tempfile

import numpy as np
import onnx

from processes import measure
from quantize import HERE, RESULTS, python, read, save, size
from recipes import RECIPES

PEERS = ["ort-dynamic-plain", "ort-dynamic", "ort-static", "nncf"]
PICTURES = 32


def make_network(model, folder):
    """A folder as `results/measure -export` writes them, with random calibration samples."""
    fed = onnx.load(model, load_external_data=False).graph.input[0]
    shape = [d.dim_value for d in fed.type.tensor_type.shape.dim]
    part = pathlib.Path(folder) / "calibration"
    part.mkdir()
    np.save(part / f"{fed.name}.npy", np.random.default_rng(0).standard_normal([PICTURES, *shape[1:]], dtype=np.float32))
    np.save(part / "targets.npy", np.zeros(PICTURES, np.int64))
    about = {"name": pathlib.Path(model).stem, "file": os.path.abspath(model), "task": "classification", "batch": 16}
    (pathlib.Path(folder) / "network.json").write_text(json.dumps(about | {"data": f"{PICTURES} random pictures"}))
    return about["name"]


class Contender:
    """A tool with its runs."""

    def __init__(self, name, tool, data, run, suffix=".onnx"):
        self.about = {"name": name, "tool": tool, "data": data}
        self.run, self.suffix, self.runs, self.bytes = run, suffix, [], 0

    def take_turn(self, folder):
        out = os.path.join(folder, "small" + self.suffix)
        self.runs.append(self.run(out)[:3])
        self.bytes = size(out)

    def row(self, network):
        wall, cpu, peak = zip(*self.runs)
        figures = {"seconds": [round(x, 3) for x in wall], "cpu_seconds": [round(x, 3) for x in cpu]}
        return {"network": network, **self.about, **figures, "peak_bytes": max(peak), "bytes": self.bytes}


def peer(key, folder):
    r = RECIPES[key]
    data = f"{PICTURES} random pictures" if r.data else "no data"
    return Contender(r.steps, f"{r.tool} {r.version}", data, lambda out: python("recipes.py", key, folder, out), r.suffix)


def pare(binary, recipe, model):
    command = [binary, "compress", model, "--recipe", recipe, "--json", "-q", "-o"]
    return Contender(f"pare compress --recipe {recipe}", "pare", "no data", lambda out: measure([*command, out]))


def show(row, base):
    wall, cpu = statistics.median(row["seconds"]), statistics.median(row["cpu_seconds"])
    ratio = statistics.median(x / y for x, y in zip(row["seconds"], base["seconds"]))
    print(f"{row['name']:50} {wall:7.2f} s ({ratio:.1f} times)  processor {cpu:7.2f} s"
          f"  peak {row['peak_bytes'] / 1e6:5.0f} MB  file {row['bytes'] / 1e6:6.1f} MB")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("model")
    args.add_argument("--pare", required=True, help="the pare binary")
    args.add_argument("--recipe", default="w8a8")
    args.add_argument("--peers", default=",".join(PEERS), help="recipes, separated by commas: %(default)s")
    args.add_argument("--rounds", type=int, default=3)
    args.add_argument("--results", default=RESULTS)
    a = args.parse_args()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as scratch:
        name = make_network(a.model, folder)
        contenders = [pare(a.pare, a.recipe, a.model), *(peer(key, folder) for key in a.peers.split(","))]
        for _ in range(a.rounds):
            for c in contenders:
                c.take_turn(scratch)
    rows = [c.row(name) for c in contenders]
    for row in rows:
        show(row, rows[0])
    results = read(a.results)
    results["times"] = [x for x in results["times"] if x["network"] != name] + rows
    save(a.results, results)


if __name__ == "__main__":
    main()
