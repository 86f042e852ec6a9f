"""A small planted graph with a table of its nodes, for the tests of networks on nodes."""
import numpy as np

NODES = 60


def write(path, text):
    path.write_text(text)
    return path


def lines(**changes):
    """The rows of a table: three noisy features of three classes, named n0 to n59; `changes`: a function of the row's number for a column, which may be new."""
    random = np.random.default_rng(0)
    rows = []
    for i in range(NODES):
        features = np.eye(3)[i % 3] + 0.5 * random.normal(size=3)
        row = {"id": f"n{i}", **{name: f"{x:.4f}" for name, x in zip("abc", features, strict=True)}, "kind": "pqr"[i % 3]}
        rows.append({**row, **{name: str(of(i)) for name, of in changes.items()}})
    return rows


def csv(path, rows, columns=None):
    columns = columns or list(rows[0])
    return write(path, "\n".join([",".join(columns), *(",".join(row[name] for name in columns) for row in rows)]) + "\n")


def write_tables(folder):
    """t.csv, and g.csv: about four edges a node, mostly to its own class."""
    csv(folder / "t.csv", lines())
    random = np.random.default_rng(1)
    edges = {(i, int(j)) for i in range(NODES) for j in random.integers(NODES, size=5) if i < j and (i % 3 == j % 3 or random.random() < 0.2)}
    write(folder / "g.csv", "".join(f"n{a},n{b}\n" for a, b in sorted(edges)))
    return folder
