"""onnxruntime's attention beside the figures of calor_bench_attention: products, forward, float, one thread.

    PYTHON bench/attention_onnxruntime.py ATTENTION.json OUT.json

The sizes, torch's seconds and the peak of a core are those of ATTENTION.json, from the same machine but not the same minutes: onnxruntime does not take turns with the others.
Every answer is compared with the definition in double first.  Exit 3 where onnxruntime or onnx is not installed (tools/setup test)."""
import json
import statistics
import sys
import time

import numpy as np

try:
    import onnx
    import onnxruntime
except ImportError as missing:
    print(f"onnxruntime is left out: {missing}; tools/setup test installs it", file=sys.stderr)
    sys.exit(3)

LARGEST_ERROR = 300 * 1.2e-7  # calor_bench_attention's


def session(heads, dim):
    shape = [1, heads, "n", dim]
    values = {name: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("q", "k", "v", "out")}
    graph = onnx.helper.make_graph([onnx.helper.make_node("Attention", ["q", "k", "v"], ["out"])], "attention", [values[name] for name in ("q", "k", "v")], [values["out"]])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 23)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def truth(q, k, v, rows=128):
    q, k, v = (x[0, 0].astype(np.float64) for x in (q[:, :, :rows], k, v))
    scores = q @ k.T / np.sqrt(q.shape[-1])
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ v


def seconds(call, budget=1.0):
    """Processor seconds of one call: the median of rounds of 2 ms at least."""
    call()
    begin = time.process_time()
    call()
    once = time.process_time() - begin
    repeat, taken = max(1, int(2e-3 / max(once, 1e-7))), []
    for _ in range(int(min(41, max(3, budget / max(once * repeat, 1e-7))))):
        begin = time.process_time()
        for _ in range(repeat):
            call()
        taken.append((time.process_time() - begin) / repeat)
    return statistics.median(taken)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    limits, rows, random = document["limits"], [], np.random.default_rng(1)
    print("    N  H    d  onnxruntime        ms   GFLOP/s    ratio    bound     error")
    for peer in document["results"]:
        if peer["name"] != "torch dot" or peer["backward"]:
            continue
        n, heads, dim = peer["rows"], peer["heads"], peer["dim"]
        run = session(heads, dim)
        q, k, v = (random.standard_normal((1, heads, n, dim), dtype=np.float32) for _ in range(3))
        given = {"q": q, "k": k, "v": v}
        expected = truth(q, k, v)
        error = float(np.abs(run.run(None, given)[0][0, 0, :128] - expected).max() / np.abs(expected).max())
        assert error < LARGEST_ERROR, f"expected an error below {LARGEST_ERROR:.1e}, found {error:.1e} (N = {n}, d = {dim})"
        took = seconds(lambda: run.run(None, given))
        operations = 4 * n * n * heads * dim
        bound = operations / limits["flops"] + n * n * heads * limits["exp_seconds"]
        rows.append({"rows": n, "heads": heads, "dim": dim, "backward": False, "name": "onnxruntime dot", "library": "onnxruntime", "score": "dot", "numbers": "float", "seconds": took,
                     "flops": operations / took, "ratio_to_peer": peer["seconds"] / took, "share_of_bound": bound / took, "error": error})
        print(f"{n:5} {heads:2} {dim:4}  {'':11} {took * 1e3:10.3f} {operations / took * 1e-9:9.1f} {peer['seconds'] / took:8.2f} {100 * bound / took:7.0f} % {error:9.1e}", flush=True)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump({"schema": 1, "kind": "bench_onnxruntime", "peer": f"onnxruntime {onnxruntime.__version__}", "results": rows}, file, indent=1)


main()
