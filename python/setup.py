"""Takes the compiled operators of the source tree's build into the package, where there is a build."""

import pathlib
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py

LIBRARY = pathlib.Path(__file__).resolve().parent.parent / "build/bindings/torch/libcalor_torch.so"


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        if LIBRARY.exists() and not self.editable_mode:
            shutil.copy2(LIBRARY, pathlib.Path(self.build_lib) / "calor" / LIBRARY.name)


setup(cmdclass={"build_py": BuildWithLibrary})
