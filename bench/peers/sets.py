"""The peers' test files, and where they lie."""
import dataclasses
import importlib
import importlib.metadata
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile


class Absent(Exception):
    """A peer or its tests are not here; says how to get them."""


def installed(module, package):
    if importlib.util.find_spec(module) is None:
        raise Absent(f"{package} is not installed (make peers-tests installs it)")
    return importlib.metadata.version(package)


def sklearn_files(folder, files):
    installed("sklearn", "scikit-learn")
    root = pathlib.Path(importlib.util.find_spec("sklearn").origin).parent
    return root.parent, [str(root / file) for file in files]


def opentsne_files(folder, files):
    """Its source package has them, its wheel not."""
    version = installed("openTSNE", "openTSNE")
    if not (folder / "tests").is_dir():
        done = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--no-binary", "openTSNE,opentsne", "-d", folder / "source",
                               f"openTSNE=={version}"], capture_output=True, text=True)
        if done.returncode:
            raise Absent(f"the source package of openTSNE {version} cannot be had by pip: {done.stderr.strip().splitlines()[-1]}")
        (archive,) = (folder / "source").glob("*.tar.gz")
        with tarfile.open(archive) as source:
            members = [member for member in source.getmembers() if member.name.split("/")[1:2] == ["tests"]]
            source.extractall(folder / "unpacked", members, filter="data")
        shutil.copytree(next((folder / "unpacked").iterdir()) / "tests", folder / "tests")  # beside no openTSNE/ that is not compiled
        (folder / "tests" / "__init__.py").touch()
    return folder, [str(folder / file) for file in files]


def umap_files(folder, files):
    """Neither its wheel nor its source package has them: PEERS_UMAP names a clone."""
    version = installed("umap", "umap-learn")
    clone = os.environ.get("PEERS_UMAP")
    if not clone or not (pathlib.Path(clone) / "umap" / "tests").is_dir():
        raise Absent(f"umap-learn's packages have no tests: clone github.com/lmcinnes/umap (version {version}) and name the folder in PEERS_UMAP")
    if not (folder / "umap" / "tests").is_dir():
        shutil.copytree(pathlib.Path(clone) / "umap" / "tests", folder / "umap" / "tests")  # beside no umap/ other than the installed one
        (folder / "umap" / "__init__.py").touch()
    return folder, [str(folder / "umap" / file) for file in files]


@dataclasses.dataclass(frozen=True)
class Peer:
    package: str
    find: object
    files: tuple
    adapter: str
    left_out: str  # files that are not run, and why

    def replace(self):
        if self.package == "umap-learn":  # its tests import from it as parts of it
            import umap

            umap.__path__.append(str(pathlib.Path(os.environ["PEERS_FOLDER"]) / "umap"))
        importlib.import_module(self.adapter).replace()

    def trim(self, module):
        """Lists of classes that a test goes through: those that ours has."""
        getattr(importlib.import_module(self.adapter), "trim", lambda module: None)(module)


SETS = {
    "sklearn": Peer("scikit-learn", sklearn_files,
                    ("manifold/tests/test_classical_mds.py", "manifold/tests/test_isomap.py", "manifold/tests/test_locally_linear.py", "manifold/tests/test_mds.py",
                     "manifold/tests/test_spectral_embedding.py", "manifold/tests/test_t_sne.py", "cluster/tests/test_k_means.py", "cluster/tests/test_mean_shift.py",
                     "cluster/tests/test_spectral.py"), "of_sklearn", "cluster/tests of methods that Calor does not have (Birch, DBSCAN, HDBSCAN, OPTICS, ...)"),
    "opentsne": Peer("openTSNE", opentsne_files,
                     ("tests/test_affinities.py", "tests/test_correctness.py", "tests/test_different_usages.py", "tests/test_sklearn_wrapper.py", "tests/test_tsne.py"),
                     "of_opentsne", "test_nearest_neighbors.py and test_utils.py, about its own indices of neighbours"),
    "umap": Peer("umap-learn", umap_files,
                 ("tests/test_umap_trustworthiness.py", "tests/test_umap_validation_params.py", "tests/test_umap_on_iris.py", "tests/test_umap_ops.py",
                  "tests/test_umap_repeated_data.py", "tests/test_umap_get_feature_names_out.py", "tests/test_composite_models.py", "tests/test_data_input.py",
                  "tests/test_densmap.py"), "of_umap",
                 "files about its inner functions (metrics, gradients, search for neighbours, spectral start), about plots, aligned and parametric UMAP"),
}
