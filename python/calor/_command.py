"""The command line: this process becomes the program in the package."""

import os
import pathlib
import sys


def program() -> str:
    """The path of the compiled program `calor`: CALOR_PROGRAM, else the package's, else the source tree's build."""
    named = os.environ.get("CALOR_PROGRAM")
    if named:
        return named
    here = pathlib.Path(__file__).resolve().parent
    for path in (here / "bin" / "calor", here.parent.parent / "build" / "calor"):
        if path.is_file():
            return str(path)
    raise FileNotFoundError(f"[calor] expected the program in {here / 'bin'}, found none: install the package with pip, or name the program in CALOR_PROGRAM")


def main() -> None:
    os.execv(program(), ["calor", *sys.argv[1:]])


if __name__ == "__main__":
    main()
