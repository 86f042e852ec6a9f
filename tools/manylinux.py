#!/usr/bin/env python3
"""A wheel as pip built it here -> one for other Linux systems: what is not ours is put beside us, with its licences.

    tools/manylinux.py BUILD WHEEL FOLDER

BUILD: the folder that WHEEL was compiled in, with CALOR_MANYLINUX (`make wheel`).  Everything that went in is read from the build itself: the headers that the compiler
read, the libraries of the link and those that they load.  Each belongs to a Debian package; its copyright file goes into the wheel, and a header under the GPL or LGPL
(but for GCC's own, with its runtime library exception, and the C library's, which stays outside) is refused.  auditwheel then copies the shared libraries, renames them, so
that no other package's can be taken for them, and gives the lowest tag that the symbols allow.  Needs dpkg, ninja, auditwheel and patchelf.
"""
import importlib.metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

SYSTEM = {"libc6", "libc6-dev", "linux-libc-dev", "libcrypt-dev"}  # what a manylinux wheel takes from the machine that it is on ...
RUNTIME = {"libgcc-s1", "libstdc++6", "zlib1g"}  # ... also these, of which the headers or static parts are inside
TEXTS = ("Apache-2.0", "MPL-2.0", "GPL-3")  # that the copyright files of what is inside refer to; the last is GCC's, with the exception that they quote
COMMON = pathlib.Path("/usr/share/common-licenses")


def said(*words, **options):
    return subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True, **options).stdout


def fail(text):
    sys.exit(f"manylinux: {text}")


def packages_of(paths):
    """{package: its files among paths}."""
    found, asked = {}, {}
    for path in paths:  # a path by either name of /usr/lib, and what a link leads to
        real = os.path.realpath(path)
        for name in {str(path), real, real.removeprefix("/usr"), str(path).removeprefix("/usr")}:
            asked.setdefault(name, path)
    names = list(asked)
    for begin in range(0, len(names), 500):  # it fails for every name that no package has, and prints the others
        lines = subprocess.run(["dpkg-query", "-S", *names[begin : begin + 500]], capture_output=True, text=True).stdout
        for line in lines.splitlines():
            packages, _, name = line.partition(": ")
            if name in asked and not packages.startswith("diversion by"):
                found.setdefault(packages.split(",")[0].split(":")[0], set()).add(asked[name])
    unknown = set(paths).difference(*found.values()) if found else set(paths)
    if unknown:
        fail(f"expected files of Debian packages, found {sorted(unknown)[:3]}: whose licences would go unsaid")
    return found


def headers_of(build):
    """Files outside the tree that the compiler read."""
    lines = {line.strip() for line in said("ninja", "-C", build, "-t", "deps").splitlines() if line.startswith("    ")}
    return {line for line in lines if line.startswith("/usr/")}


def libraries_of(build, files):
    """Libraries of the link, and shared ones that are loaded."""
    words = said("ninja", "-C", build, "-t", "commands", "calor", "calor_python_engine").split()
    static = {word for word in words if re.fullmatch(r"/usr/\S+\.a", word)} | {said("c++", "-print-file-name=libstdc++.a").strip()}
    loaded = {line.split()[2] for file in files for line in said("ldd", file).splitlines() if "=> /" in line}
    return static, loaded


def refuse_copyleft(files):
    for file in files:
        text = pathlib.Path(file).read_text(errors="replace")
        if re.search(r"(Lesser|Library|GNU) General Public License|\b[AL]?GPL\b", text) and not re.search(r"Runtime\s+Library\s+Exception|MPL2", text):
            yield file


def licences(folder, packages):
    """Each package's copyright file, and TEXTS."""
    folder.mkdir(parents=True)
    lines = []
    for package, files in sorted(packages.items()):
        (copyright,) = [path for path in [pathlib.Path("/usr/share/doc", package, "copyright")] if path.exists()] or [fail(f"{package} has no copyright file")]
        shutil.copyfile(copyright, folder / f"{package}.txt")
        kinds = sorted({"headers" if "/include/" in str(file) else "linked in" if str(file).endswith(".a") else "a library beside" for file in files})
        lines.append(f"{package} {said('dpkg-query', '-W', '-f', '${Version}', package)}: {', '.join(kinds)}")
    for text in TEXTS:
        shutil.copyfile(COMMON / text, folder / f"{text}.text")
    plotly = importlib.metadata.distribution("plotly")
    (licence,) = [path for path in plotly.files if path.name == "LICENSE.txt" and ".dist-info" in str(path)]
    shutil.copyfile(plotly.locate_file(licence), folder / "plotly.txt")
    lines.append(f"plotly {plotly.version}: plotly.js, which reports contain")
    (folder / "README").write_text(
        "What is in this wheel beside Calor, by the names of Debian's packages; NAME.txt is each one's copyright file, X.text a licence that these refer to.\n"
        "The copyright files are about whole source packages: their tests, tools and packaging, some of it under the GPL, are not in here.  What is of GCC\n"
        "(libgomp, libstdc++, libgcc) is under the GPL 3 with the GCC Runtime Library Exception 3.1, which lets programs of any licence be distributed with it.\n\n"
        + "\n".join(lines) + "\n")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    build, wheel, out = map(pathlib.Path, sys.argv[1:])
    os.environ["PATH"] = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    for program in ("dpkg-query", "ninja", "auditwheel", "patchelf"):
        if not shutil.which(program):
            fail(f"expected {program} on the PATH, found none")
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(temporary)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(work / "plain")
        files = [path for path in (work / "plain").rglob("*") if path.is_file() and path.open("rb").read(4) == b"\x7fELF"]
        headers = packages_of(headers_of(build))
        static, loaded = map(packages_of, libraries_of(build, files))
        beside = {package: files for package, files in loaded.items() if package not in SYSTEM | RUNTIME}
        inside = {package: files for package, files in headers.items() if package not in SYSTEM}
        for file in refuse_copyleft(sorted(set().union(*inside.values()))):
            fail(f"expected permissive licences, found the GPL in {file}")
        for part in (static, beside):
            for package, files in part.items():
                if package not in SYSTEM:
                    inside.setdefault(package, set()).update(files)
        licences(work / "third-party", inside)
        shutil.copyfile(wheel, work / wheel.name)
        with zipfile.ZipFile(work / wheel.name, "a", zipfile.ZIP_DEFLATED) as archive:  # auditwheel writes the list of files anew
            (about,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
            for path in sorted((work / "third-party").iterdir()):
                archive.write(path, f"{about}/licenses/third-party/{path.name}")
        out.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["auditwheel", "repair", "--only-plat", "-w", str(out), str(work / wheel.name)], capture_output=True, text=True)
        if done.returncode:
            fail(f"auditwheel refuses it:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
