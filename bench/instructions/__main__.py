"""Instructions of the kernels beside the baseline in bench/baseline, and its renewal.

    .venv/bin/python bench/instructions [WORD ...] [--renew]

Kernels whose names hold one of the words; all where none is given.  Exit 1 where a count is above its baseline by more than the tolerance."""
import argparse
import sys

import counts


def main():
    parser = argparse.ArgumentParser(prog="bench/instructions", description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*", metavar="WORD", help="of the kernels' names; all where none is given")
    parser.add_argument("--renew", action="store_true", help="write what is counted into the baseline")
    options = parser.parse_args()
    try:
        tools, names = counts.tools()
    except counts.NotHere as reason:
        sys.exit(f"bench/instructions: {reason}")
    recorded = counts.read()
    differing = counts.differing(tools, recorded["tools"])
    chosen = [name for name in names if not options.words or any(word in name for word in options.words)]
    if not chosen:
        sys.exit(f"bench/instructions: expected words of {', '.join(names)}; found {' '.join(options.words)}")
    if differing and options.renew and options.words:
        print(f"The baseline is of other tools ({differing}): all kernels are renewed.")
        chosen = names
    elif differing:
        print(f"The baseline is of other tools: {differing}.")
    found, wrong = counts.count(chosen), 0
    for name, value in found.items():
        before = recorded["counts"].get(name)
        change = f"{100 * (value / before - 1):+8.2f} %" if before else "       new"
        above = before is not None and counts.verdict(name, value, before) is not None
        wrong += above
        print(f"{name:<42} {value:>13,} {change}{'  above the tolerance' if above else ''}")
    if options.renew:
        kept = {} if differing else recorded["counts"]
        counts.write(tools, {name: found.get(name, kept.get(name)) for name in names if name in found or name in kept})
        print(f"{counts.BASELINE.relative_to(counts.ROOT)} is renewed: commit it with the change that it belongs to.")
        return 0
    return 1 if wrong and not differing else 0


if __name__ == "__main__":
    sys.exit(main())
