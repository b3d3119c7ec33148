"""Time and peak memory of compressing a model: ONNX Runtime against pare.

Every run is a process of its own, so that peak memory is that run's alone. The
quantiser's time is taken inside its process, without start-up and imports;
pare's is that of the whole process.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

QUANTISER = """
import logging, sys, time
from onnxruntime.quantization import QuantType, quantize_dynamic
logging.disable(logging.WARNING)
wall, cpu = time.perf_counter(), time.process_time()
quantize_dynamic(sys.argv[1], sys.argv[2], weight_type=QuantType.QInt8)
print(time.perf_counter() - wall, time.process_time() - cpu)
"""


def measure(command):
    """Runs a command; returns wall and processor seconds, peak bytes and what it printed."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            sys.exit(f"{command[0]} failed")
        out.seek(0)
        return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out.read().decode()


def quantiser(model, out):
    _, _, peak, printed = measure([sys.executable, "-c", QUANTISER, model, out])
    wall, cpu = map(float, printed.split()[-2:])
    return wall, cpu, peak


def pare(binary, recipe, model, out):
    wall, cpu, peak, _ = measure([binary, "compress", model, "-o", out, "--recipe", recipe, "--json", "-q"])
    return wall, cpu, peak


def row(name, runs, path):
    wall, cpu, peak = zip(*runs)
    print(
        f"{name:30} {statistics.median(wall):6.2f} s [{min(wall):.2f}, {max(wall):.2f}]"
        f"  processor {statistics.median(cpu):6.2f} s  peak {max(peak) / 1e6:5.0f} MB  file {os.path.getsize(path) / 1e6:6.1f} MB"
    )


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("model")
    args.add_argument("--pare", required=True, help="the pare binary")
    args.add_argument("--recipe", default="fold+powerquant(w=4)")
    args.add_argument("--pairs", type=int, default=3)
    a = args.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        theirs, ours = os.path.join(folder, "theirs.onnx"), os.path.join(folder, "ours.onnx")
        a_runs, b_runs = [], []
        for _ in range(a.pairs):
            a_runs.append(quantiser(a.model, theirs))
            b_runs.append(pare(a.pare, a.recipe, a.model, ours))
        row("quantize_dynamic, 8 bits", a_runs, theirs)
        row("pare " + a.recipe, b_runs, ours)
        ratio = statistics.median(x[0] / y[0] for x, y in zip(a_runs, b_runs))
        print(f"pare is {ratio:.1f} times as fast (median over {a.pairs} pairs)")


if __name__ == "__main__":
    main()
