"""Times methods that learn, of other tools and of pare, on the same samples and steps.

    learn.py SAMPLES --pare PARE [--only NETWORK] [--lessons LESSON,...] [--widths W4A8,...] [--iterations N]

SAMPLES is a folder that `go run ./results/measure -set gradient -export SAMPLES` wrote.
Every step is a process of its own on two threads, one at a time; processor seconds
say what it took on a machine that does other things, too. Rows stand in "learned"
of the results, pare's beside the others'; rows that are not measured again stay.
"""

import argparse
import json
import os
import pathlib
import tempfile

import numpy as np

import lessons
from processes import Failed, measure
from quantize import Judge, RESULTS, keep, python, read, save
from samples import Network

# What pare calls the methods of the tables.
RECIPES = {
    "nearest": "fold+uniform(range=mse,w={w},a={a})",
    "AdaRound": "fold+adaround(w={w},a={a},steps={steps})",
    "GPTQ": "fold+gptq(w={w},a={a})",
}


def tool_row(key, network, folded, widths, iterations, judge, folder):
    lesson = lessons.LESSONS[key]
    out = os.path.join(folder, "outputs.npy")
    _, _, peak, printed = python("lessons.py", key, network.folder, folded, widths, iterations, out)
    took = json.loads(printed.splitlines()[-1])
    row = {"tool": f"{lesson.tool} {lesson.version}", "steps": lesson.steps.replace("ITERATIONS", str(iterations)), "method": lesson.name}
    return row | took | {"peak_bytes": peak, "iterations": iterations if lesson.iterates else 0} | judge.judged(np.load(out))


def pare_row(binary, method, network, widths, iterations, judge, folder):
    out = os.path.join(folder, "small.onnx")
    recipe = RECIPES[method].format(w=widths[1], a=widths[3], steps=iterations)
    command = [binary, "compress", network.file, "--recipe", recipe, "--data", network.spec, "--samples", str(network.samples), "--threads",
               str(lessons.THREADS), "--eval", "none", "--json", "-q", "-o", out]
    seconds, cpu, peak, _ = measure(command)
    row = {"tool": "pare", "steps": recipe, "method": method, "seconds": seconds, "cpu_seconds": cpu, "peak_bytes": peak}
    return row | {"iterations": iterations if "steps=" in recipe else 0} | judge.figures(out, "exact")


def finish(row, network, widths, judge):
    row |= {"network": network.name, "recipe": f"{row['method']} of {row['tool'].split()[0]}", "widths": widths, "data": network.data,
            "samples": len(judge.targets)}
    return {k: round(x, 4) if isinstance(x, float) else x for k, x in row.items()}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("samples")
    args.add_argument("--pare", required=True, help="the pare binary")
    args.add_argument("--results", default=RESULTS)
    args.add_argument("--only", default="ResNet-20", help="only networks whose name contains this: %(default)s")
    args.add_argument("--lessons", default=",".join(lessons.LESSONS), help="only these, separated by commas: %(default)s")
    args.add_argument("--widths", default="W4A8")
    args.add_argument("--iterations", type=int, default=100)
    a = args.parse_args()
    for description in sorted(pathlib.Path(a.samples).glob("*/network.json")):
        network = Network(description.parent)
        if a.only.lower() not in network.name.lower():
            continue
        with tempfile.TemporaryDirectory() as folder:
            judge, folded = Judge(network, folder), os.path.join(folder, "folded.onnx")
            measure([a.pare, "compress", network.file, "--recipe", "fold", "-q", "-o", folded])
            for widths in a.widths.split(","):
                steps = [lambda key=key: tool_row(key, network, folded, widths, a.iterations, judge, folder) for key in a.lessons.split(",")]
                methods = dict.fromkeys(lessons.LESSONS[key].name for key in a.lessons.split(","))
                steps = [lambda m=m: pare_row(a.pare, m, network, widths, a.iterations, judge, folder) for m in methods] + steps
                for step in steps:
                    try:
                        row = finish(step(), network, widths, judge)
                    except Failed as e:
                        print(f"failed: {e}", flush=True)
                        continue
                    print(json.dumps(row), flush=True)
                    results = read(a.results)
                    results.setdefault("learned", [])
                    save(a.results, results)
                    keep(a.results, row, "learned")


if __name__ == "__main__":
    main()
