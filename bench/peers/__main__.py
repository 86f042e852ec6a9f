"""scikit-learn's, openTSNE's and umap-learn's own tests, run on Calor's classes: how many pass, and why the others do not.

    python bench/peers [sklearn] [opentsne] [umap] [--files PATTERN] [--folder FOLDER] [--json FILE] [--all]

The tests come from the installed packages, openTSNE's from its source package by pip; PEERS_UMAP names a clone of umap.  FOLDER keeps what was unpacked (build-peers).
A test counts where it reaches one of the replaced classes; others are about the peer's inner functions.  Each that does not pass asks for something that an adapter
names as missing, or has a reason in reasons.py.  Prints the table; exits with 1 where a test fails without a reason or passes in spite of one.  --all: every test
that does not pass, with its fault."""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from reasons import REASONS
from sets import SETS, Absent, installed

HERE = pathlib.Path(__file__).resolve().parent


def run(name, pattern, folder):
    """{test: what became of it}"""
    peer = SETS[name]
    (folder / name).mkdir(parents=True, exist_ok=True)
    root, files = peer.find(folder / name, [file for file in peer.files if pattern in file])
    with tempfile.TemporaryDirectory() as temporary:
        results = pathlib.Path(temporary) / "results.json"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]), "PEERS_SET": name, "PEERS_RESULTS": str(results),
                       "PEERS_FOLDER": str(folder / name)}
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "plugin", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", root, "-W", "ignore", *files], cwd=temporary,
                              env=environment, capture_output=True, text=True)
        if done.returncode not in (0, 1) or not results.exists():
            sys.exit(f"peers: the tests of {peer.package} did not run:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return json.loads(results.read_text())


def reason_of(name, test):
    """Why it does not pass; None where nobody knows."""
    return test["missing"] and f"ours has not: {test['missing']}" or REASONS[name].get((test["file"], test["test"]))


def table(name, found):
    """Lines of the table, lines of the reasons, and tests that are not as expected."""
    files, reasons, wrong = collections.defaultdict(collections.Counter), collections.Counter(), []
    for node, test in found.items():
        count = files[test["file"]]
        count["tests"] += 1
        if test["outcome"] == "skipped" or not test["reached"]:
            count["inner"] += 1
            continue
        count[test["outcome"]] += 1
        if test["outcome"] == "failed":
            reason = reason_of(name, test)
            reasons[reason] += 1
            if reason is None:
                wrong.append(f"{node} fails without a reason: {test['fault']}")
    ran = {(test["file"], test["test"]) for test in found.values()}
    failing = {(test["file"], test["test"]) for test in found.values() if test["outcome"] == "failed" and not test["missing"]}
    wrong += [f"{test} has no need of its reason in reasons.py: it passes, or asks for what ours has not" for test in sorted((ran - failing) & set(REASONS[name]))]
    rows = [f"| {SETS[name].package} {installed(*{'sklearn': ('sklearn', 'scikit-learn'), 'opentsne': ('openTSNE', 'openTSNE'), 'umap': ('umap', 'umap-learn')}[name])} | {file} | "
            f"{count['passed'] + count['failed']} | {count['passed']} | {count['failed']} | {count['inner']} |" for file, count in sorted(files.items())]
    return rows, reasons, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", choices=[*SETS, []], help=argparse.SUPPRESS)
    parser.add_argument("--files", default="", metavar="PATTERN")
    parser.add_argument("--folder", type=pathlib.Path, default=HERE.parents[1] / "build-peers")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    rows, wrong, reasons, document, absent = [], [], collections.Counter(), {}, []
    for name in options.sets or SETS:
        try:
            found = document[name] = run(name, options.files, options.folder.resolve())
        except Absent as reason:
            absent.append(f"SKIPPED {name}: {reason}")
            continue
        lines, why, more = table(name, found)
        rows += lines
        reasons += why
        wrong += more
        if options.all:
            for node, test in found.items():
                if test["outcome"] == "failed":
                    print(f"{node}\n    {reason_of(name, test)}\n    {test['fault']}")
    if options.json:
        options.json.write_text(json.dumps(document, indent=1))
    if rows:
        print("| of | file | tests of our classes | pass | do not | others (inner functions, skipped) |\n|---|---|---|---|---|---|\n" + "\n".join(rows))
        print("\n| why a test does not pass | tests |\n|---|---|")
        for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], str(item[0]))):
            print(f"| {reason} | {count} |")
    for line in absent + wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 3 if not rows else 0)


if __name__ == "__main__":
    main()
