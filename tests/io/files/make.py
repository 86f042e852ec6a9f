"""Writes the files beside it with numpy, scipy and safetensors, whose formats they are; the tests know their content by formula.

X[i, j] = 10 i + j - 5 for 6 x 3 (X / 4 where halves and quarters show the type), labels i % 3.
S is X where i + j is even, else 0.
"""
import collections
import gzip
import pathlib
import pickle
import struct

import numpy as np
import scipy.sparse as sparse
from safetensors.numpy import save_file

here = pathlib.Path(__file__).parent
X = np.arange(6)[:, None] * 10.0 + np.arange(3) - 5
y = np.arange(6) % 3
names = np.array(["ash", "birch", "céder"])[y]

for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8"):
    scale = 4 if kind.startswith("f") else 1
    for order in "<>" if kind != "i1" else "|":
        label = {"<": "little", ">": "big", "|": "little"}[order]
        np.save(here / f"{kind}_{label}.npy", (X / scale).astype(order + kind))
np.save(here / "u1.npy", (X + 5).astype("u1"))
np.save(here / "b1.npy", X > 20)
np.save(here / "fortran.npy", np.asfortranarray(X))
np.save(here / "cube_fortran.npy", np.asfortranarray(np.arange(24.0).reshape(4, 2, 3)))
np.save(here / "cube.npy", np.arange(24.0).reshape(4, 2, 3))
np.save(here / "vector.npy", y.astype("i8"))
np.save(here / "texts.npy", names)
np.save(here / "bytes.npy", np.array([b"ash", b"birch", b"oak"])[y])
np.save(here / "complex.npy", X.astype("c8"))
np.save(here / "scalar.npy", np.float32(3))
np.save(here / "objects.npy", np.array([1, None], dtype=object), allow_pickle=True)
np.save(here / "records.npy", np.zeros(3, dtype=[("a", "f4"), ("b", "i4")]))
with open(here / "version2.npy", "wb") as file:
    np.lib.format.write_array(file, X, version=(2, 0))
with open(here / "version3.npy", "wb") as file:
    np.lib.format.write_array(file, X, version=(3, 0))
np.savez(here / "stored.npz", X=X, y=y)
np.savez_compressed(here / "deflated.npz", X=X, y=names)
np.savez(here / "other_names.npz", points=X, target=y)
np.savez(here / "two_labels.npz", data=X, labels=y, age=np.arange(6) // 2)
np.savez(here / "no_labels.npz", X=X)
np.savez(here / "mismatch.npz", X=X, y=y[:5])

S = np.where((np.arange(6)[:, None] + np.arange(3)) % 2 == 0, X, 0)
csr = sparse.csr_matrix(S)
unsorted = csr.copy()
unsorted.data, unsorted.indices = csr.data[[1, 0, 2, 4, 3, 5, 7, 6, 8]], csr.indices[[1, 0, 2, 4, 3, 5, 7, 6, 8]]
twice = sparse.coo_matrix(([1.5, 2, 0, 0.25, -2, 4], ([4, 0, 3, 4, 0, 0], [2, 1, 0, 2, 1, 0])), shape=(5, 4))
wide = csr.copy()
wide.indices, wide.indptr = csr.indices.astype("i8"), csr.indptr.astype("i8")
sparse.save_npz(here / "sparse_csr.npz", csr.astype("f4"))
sparse.save_npz(here / "sparse_stored.npz", csr, compressed=False)
sparse.save_npz(here / "sparse_wide.npz", wide)
sparse.save_npz(here / "sparse_unsorted.npz", unsorted)
sparse.save_npz(here / "sparse_csc.npz", sparse.csc_array(S.astype("i2")))
sparse.save_npz(here / "sparse_coo.npz", sparse.coo_array(S > 0))
sparse.save_npz(here / "sparse_twice.npz", twice)
sparse.save_npz(here / "sparse_empty.npz", sparse.csr_matrix((3, 2)))
sparse.save_npz(here / "sparse_bsr.npz", sparse.bsr_matrix(S, blocksize=(2, 3)))
sparse.save_npz(here / "sparse_dia.npz", sparse.dia_matrix(np.eye(3)))
sparse.save_npz(here / "sparse_complex.npz", csr.astype("c8"))
sparse.save_npz(here / "sparse_list.npz", sparse.coo_array(np.array([0.0, 1, 0, 2])))

# Pickles of a csr matrix, a dense one, a dictionary and texts in every protocol; a Planetoid set of eight files in different ones: nodes 0 to 4 in
# allx, 7 and 5 in tx, 6 nowhere; feature c of node i is 10 i + c where i + c is even, its class i % 3.
(here / "pickles").mkdir(exist_ok=True)
things = {"csr": csr.astype("f4"), "array": sparse.csr_array(csr), "dense": np.asfortranarray(X[:2]), "graph": collections.defaultdict(list, {0: [1, 2], 1: [0], 2: [0]}),
          "texts": np.array(["ash", "céder"]), "objects": np.array(["ash", "céder", 3], dtype=object), "none": np.zeros((0, 3))}
for name, thing in things.items():
    for protocol in range(6):
        (here / "pickles" / f"{name}_{protocol}.pickle").write_bytes(pickle.dumps(thing, protocol))
node = np.array([0, 1, 2, 3, 4, 7, 5])
F = np.where((node[:, None] + np.arange(3)) % 2 == 0, node[:, None] * 10.0 + np.arange(3), 0)
C = np.eye(3, dtype="i4")[node % 3]
planetoid = {"x": sparse.csr_matrix(F[:2]), "y": C[:2], "tx": sparse.csr_matrix(F[5:], dtype="f4"), "ty": C[5:], "allx": sparse.csr_matrix(F[:5]), "ally": C[:5],
             "graph": collections.defaultdict(list, {0: [1, 1, 5], 1: [0], 5: [0], 7: [7, 2], 2: [7], 3: [4], 4: [3]})}
(here / "planetoid").mkdir(exist_ok=True)
for protocol, (name, thing) in enumerate(planetoid.items()):
    (here / "planetoid" / f"ind.toy.{name}").write_bytes(pickle.dumps(thing, protocol % 6))
(here / "planetoid" / "ind.toy.test.index").write_text("7\n5\n")

# A graph with features as Shchur et al. 2018 store one.
adjacency = sparse.csr_matrix(([1.0] * 5, ([0, 1, 1, 2, 3], [1, 0, 2, 3, 3])), shape=(4, 4))
parts = {f"{name}_{part}": getattr(matrix, part) for name, matrix in {"adj": adjacency, "attr": sparse.csr_matrix(S[:4])}.items() for part in ("data", "indices", "indptr", "shape")}
np.savez(here / "graph.npz", **parts, labels=np.array([1, 0, 1, -1]), node_names=np.array(["a", "b", "c", "d"]), attr_names=np.array(["u", "v", "w"], dtype=object),
         class_names=np.array(["few", "many"], dtype=object), metadata=np.array({"of": object()}, dtype=object))

images = (X + 5).astype("u1").reshape(6, 3, 1)
header = struct.pack(">4B3I", 0, 0, 8, 3, *images.shape)
(here / "toy-images-idx3-ubyte").write_bytes(header + images.tobytes())
(here / "toy-labels-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, 6) + y.astype("u1").tobytes())
(here / "float.idx").write_bytes(struct.pack(">4B2I", 0, 0, 13, 2, *X.shape) + (X / 4).astype(">f4").tobytes())
(here / "members.csv.gz").write_bytes(gzip.compress(b"a,b,label\n1,2,x\n", mtime=0) + gzip.compress(b"3,4,y\n", mtime=0))

save_file({"weight": np.arange(6, dtype="f4").reshape(2, 3), "step": np.array([7], dtype="i8"), "mask": np.array([1, 0, 1], dtype="u1"),
           "empty": np.zeros((0, 4), dtype="f4")}, here / "python.safetensors", metadata={"made_by": "safetensors", "note": "é"})
