"""The command line: this process becomes the program in the package."""

import os
import pathlib
import sys


def program() -> str:
    """The path of the compiled program `calor`."""
    return str(pathlib.Path(__file__).resolve().parent / "bin" / "calor")


def main() -> None:
    os.execv(program(), ["calor", *sys.argv[1:]])


if __name__ == "__main__":
    main()
