"""Quantises networks with the peers' tools and measures the files.

    quantize.py SAMPLES [--results results/peers.json] [--only NETWORK] [--recipes RECIPE,...]

SAMPLES is a folder that `go run ./results/measure -set datafree -export SAMPLES`
wrote. Every step is a process of its own, one at a time. The results are
rewritten after each recipe; rows that are not measured again stay.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile

import numpy as np

import metrics
from processes import Failed, measure
from recipes import RECIPES
from samples import Network

HERE = pathlib.Path(__file__).parent
RESULTS = HERE.parent.parent / "results" / "peers.json"


def python(script, *args):
    return measure([sys.executable, str(HERE / script), *map(str, args)])


class Judge:
    """Measures files of one network against the float network."""

    def __init__(self, network, folder):
        self.network, self.folder = network, folder
        self.targets = network.arrays("evaluation")[1]
        kept = network.folder / "reference.npy"
        if not kept.exists():
            np.save(kept, self.outputs(network.file, "run"))
        self.reference = np.load(kept)

    def outputs(self, path, mode):
        out = os.path.join(self.folder, "outputs.npy")
        python("evaluate.py", self.network.folder, path, out, mode)
        return np.load(out)

    def figures(self, path, mode):
        return self.judged(self.outputs(path, mode))

    def judged(self, outputs):
        got = metrics.judge(self.network.task, outputs, self.reference, self.targets)
        return {name: round(x, 4) for name, x in got.items()}

    def float_row(self):
        """The row of the float network, which shows that the samples are pare's."""
        return {"network": self.network.name, "samples": len(self.targets)} | self.judged(self.reference)


def size(path):
    """Bytes of a model: OpenVINO's are two files."""
    weights = pathlib.Path(path).with_suffix(".bin")
    return os.path.getsize(path) + (os.path.getsize(weights) if weights.exists() else 0)


def describe(network, recipe, judge):
    """The row of a recipe without its figures."""
    data = network.data if recipe.data else "no data"
    return {
        "network": network.name,
        "recipe": f"{recipe.column} ({data})",
        "widths": recipe.widths,
        "steps": recipe.steps,
        "tool": f"{recipe.tool} {recipe.version}",
        "data": data,
        "calibration": len(network.arrays("calibration")[1]) if recipe.data else 0,
        "samples": len(judge.targets),
    }


def try_recipe(network, key, judge, fast):
    """The row of a recipe; that it fails is part of the row."""
    recipe = RECIPES[key]
    row = describe(network, recipe, judge)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "small" + recipe.suffix)
        try:
            _, _, peak, printed = python("recipes.py", key, network.folder, out)
            took = json.loads(printed.splitlines()[-1])
            modes = recipe.modes[-1:] if fast else recipe.modes
            row |= judge.figures(out, modes[0])
            row |= {"measured": modes[0], "bytes": size(out), "peak_bytes": peak}
            row |= {name: round(x, 4) for name, x in took.items()}
            for mode in modes[1:]:
                row["as_run"] = judge.figures(out, mode)
        except Failed as e:
            row["error"] = str(e).replace(folder + os.sep, "")
    return row


def same(a, b):
    return all(a.get(k) == b.get(k) for k in ("network", "recipe", "widths"))


def keep(path, row, where="rows"):
    """Puts a row into the results, in place of the one that it replaces."""
    results = read(path)
    rows = results[where]
    at = next((i for i, old in enumerate(rows) if same(old, row)), len(rows))
    rows[at : at + 1] = [row]
    save(path, results)


def read(path):
    path = pathlib.Path(path)
    return json.loads(path.read_text()) if path.exists() else {"floats": [], "rows": [], "times": []}


def save(path, results):
    path = pathlib.Path(path)
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps(results, indent=1) + "\n")
    scratch.replace(path)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("samples")
    args.add_argument("--results", default=RESULTS)
    args.add_argument("--only", default="", help="only networks whose name contains this")
    args.add_argument("--recipes", default=",".join(RECIPES), help="only these, separated by commas: %(default)s")
    args.add_argument("--fast", action="store_true", help="leave out ONNX Runtime without optimisations, which takes most of the time")
    a = args.parse_args()
    for description in sorted(pathlib.Path(a.samples).glob("*/network.json")):
        network = Network(description.parent)
        if a.only.lower() not in network.name.lower():
            continue
        with tempfile.TemporaryDirectory() as folder:
            judge = Judge(network, folder)
            keep(a.results, judge.float_row(), "floats")
            for key, recipe in RECIPES.items():
                if key in a.recipes.split(",") and recipe.suits(network):
                    row = try_recipe(network, key, judge, a.fast)
                    print(json.dumps(row), flush=True)
                    keep(a.results, row)


if __name__ == "__main__":
    main()
