"""Separated text is read in parts by several processes, and is what `calor run` reads: values, labels, names, hash, what is said of it, and errors with their places.

The reference is `calor run` on the same file.  Neighbours are exact, so that one value that is wrong, lost or in another row shows in them; files end in odd places, for parts are cut by bytes."""
import numpy as np
import pytest

from cluster import document, mpirun

PIPELINE = "knn(3)"


def told(found):
    line = found["read"]["line"]
    return line.split(" in ")[0] if "parts of the file" in line else line


def table(rows, columns=3, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns)) * 100


def lines_of(values, header=True, separator=",", end="\n", number="{:.6g}"):
    rows = [separator.join(number.format(cell) for cell in row) for row in values]
    return end.join(([separator.join(f"c{c}" for c in range(values.shape[1]))] if header else []) + rows) + end


def same(both, processes, path, *options, parts=True):
    one, other = both(processes, PIPELINE, path, *options)
    assert one["result"] == other["result"] and one["input_hash"] == other["input_hash"]
    assert told(one) == told(other)
    assert ("parts of the file" in one["read"]["line"]) == (parts and processes > 1)
    return one, other


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
@pytest.mark.parametrize("rows", [101, 4999])
def test_numbers_alone(both, tmp_path, rows, processes):
    path = tmp_path / "points.csv"
    path.write_text(lines_of(table(rows)))
    same(both, processes, path)


LAYOUTS = {"crlf": dict(end="\r\n"), "tabs": dict(separator="\t"), "no header": dict(header=False), "blanks": dict(separator="  "), "semicolons": dict(separator=";")}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(both, tmp_path, layout):
    path = tmp_path / "points.txt"
    path.write_bytes(lines_of(table(257, 4), **LAYOUTS[layout]).encode())
    same(both, 3, path)


def test_ends_of_lines_of_all_kinds(both, tmp_path):
    """No line end at the end, a byte order mark, blank lines and comments; and '\\r' alone, which leaves all rows to one process."""
    text = lines_of(table(120))
    lines = text.splitlines()
    lines.insert(60, "")
    lines.insert(61, "# a remark")
    (tmp_path / "mark.csv").write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    one, other = same(both, 4, tmp_path / "mark.csv")
    assert one["read"]["notes"] == other["read"]["notes"] and any("comment" in note for note in one["read"]["notes"])
    (tmp_path / "returns.csv").write_bytes(text.replace("\n", "\r").encode())
    same(both, 3, tmp_path / "returns.csv")


@pytest.mark.parametrize("rows", [2, 3, 5])
def test_fewer_rows_than_processes(both, tmp_path, rows):
    path = tmp_path / "few.csv"
    path.write_text(lines_of(table(rows, 4)))
    one, other = both(4, "knn(1)", path)
    assert one["result"] == other["result"]
    assert sum(entry["rows"] for entry in one["processes"]) == rows


@pytest.mark.parametrize("processes", [2, 3, 4])
@pytest.mark.parametrize("options", [[], ["--label", "kind"], ["--label", "c2"], ["--names", "who"], ["--label", "none", "--features", "c0,c1"]])
def test_labels_and_names(both, tmp_path, options, processes):
    """A column of names, all different, and one of classes that come first in different parts."""
    values, random = table(300), np.random.default_rng(3)
    kinds = np.where(np.arange(300) < 150, random.choice(["no", "yes"], 300), random.choice(["never", "yes"], 300))
    rows = [f"row {i:03d},{a:.5g},{b:.5g},{c:.5g},\"{kind}\"" for i, ((a, b, c), kind) in enumerate(zip(values, kinds))]
    path = tmp_path / "people.csv"
    path.write_text("\n".join(["who,c0,c1,c2,kind", *rows]) + "\n")
    if not options or "kind" in options or "who" in options:
        same(both, processes, path, *options)
    else:
        one, other = both(processes, PIPELINE, path, *options) if "none" in options else both(processes, PIPELINE, path, *options, "--features", "c0,c1")
        assert one["result"] == other["result"]


@pytest.mark.parametrize("pipeline, column, kinds", [("knn-classifier", "class", ["b", "a", "c"]), ("knn-regressor", "target", None)])
def test_predictions(both, tmp_path, pipeline, column, kinds):
    random = np.random.default_rng(1)
    values = table(200)
    last = random.choice(kinds, 200) if kinds else [f"{x:.4g}" for x in values.sum(1)]
    path = tmp_path / "known.csv"
    path.write_text("\n".join([f"a,b,{column},d", *(f"{a:.6g},{b:.6g},{y},{d:.6g}" for (a, b, d), y in zip(values, last))]) + "\n")
    one, other = both(3, pipeline, path, "--train", 0.4)
    assert one["train"] == other["train"] and "3 parts of the file" in one["read"]["line"]
    assert one["result"]["order"] == other["result"]["order"]
    for name in one["result"]["order"]:
        mine, theirs = one["result"]["values"][name], other["result"]["values"][name]
        assert mine == theirs if isinstance(mine[0], str) else np.allclose(mine, theirs, rtol=0, atol=1e-9)


def test_a_running_number_and_constant_columns(both, tmp_path):
    """The first column counts on over the parts, and so names the rows; the last has one value in each part, but not the same."""
    values = table(90)
    path = tmp_path / "numbered.csv"
    path.write_text("\n".join(["no,a,b,c,same,steps", *(f"{i + 1},{a:.5g},{b:.5g},{c:.5g},7,{i // 30}" for i, (a, b, c) in enumerate(values))]) + "\n")
    one, _ = same(both, 3, path)
    assert "1 column constant" in one["read"]["line"]


def test_truth_and_categories(both, tmp_path):
    values = table(120)
    rows = [f"{a:.5g},{'TRUE' if i % 3 else 'false'},{['Lund', 'Oslo', 'Bergen'][i * 3 // 120]},{b:.5g}" for i, (a, b, _) in enumerate(values)]
    path = tmp_path / "towns.csv"
    path.write_text("\n".join(["a,married,town,b", *rows]) + "\n")
    same(both, 4, path, "--one-hot", "town", "--label", "none")


def test_quotes(both, tmp_path):
    """Quoted cells and quotes that are none do no harm; line ends in quotes leave the reading of the whole to every process, which is said."""
    rows = [f'"{a:.4g}",{b:.4g},"name, {i}",5" pipe {i % 4}' for i, (a, b, _) in enumerate(table(100))]
    path = tmp_path / "quoted.csv"
    path.write_text("\n".join(["a,b,name,pipe", *rows]) + "\n")
    same(both, 3, path, "--names", "name", "--label", "pipe")
    for at in (10, 50, 90):
        broken = [*rows[:at], rows[at].replace("name, ", "name,\n"), *rows[at + 1:]]
        path.write_text("\n".join(["a,b,name,pipe", *broken]) + "\n")
        one, _ = same(both, 3, path, "--names", "name", "--label", "pipe", parts=False)
        assert any("every process has read the whole file" in note for note in one["read"]["notes"])


def errors(done):
    return [line for line in done.stderr.splitlines() if line.startswith("error:")]


MISTAKES = {"a word": "1,two,3", "a missing value": "1,,3", "too many": "1,2,3,4", "too few": "1,2", "infinite": "1,inf,3", "an open quote": '1,"2,3', "a quote too many": '1,"2"x,3',
            "a thousands separator": '1,"2,000",3'}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("processes", [2, 4])
def test_mistakes_in_the_third_part(calor, tmp_path, mistake, processes):
    """Line 140 of 201, in the third part of four, and once more at line 190: the first is told, with its line in the whole file, in the words of calor."""
    lines = lines_of(table(200)).splitlines()
    lines[139] = lines[189] = MISTAKES[mistake]
    path = tmp_path / "wrong.csv"
    path.write_text("\n".join(lines) + "\n")
    expected = errors(calor("run", PIPELINE, path, code=3))
    assert errors(mpirun(processes, "run", PIPELINE, path, code=3)) == expected
    assert len(expected) == 1 and ("line 140" in expected[0] or "quote" in mistake)


def test_mistakes_in_several_columns(calor, tmp_path):
    """Of the first mistakes of the columns the one in the earliest line is told, whoever has it."""
    lines = lines_of(table(200)).splitlines()
    lines[30], lines[20], lines[150] = "1,2,x", "1,,3", "y,2,3"
    path = tmp_path / "wrong.csv"
    path.write_text("\n".join(lines) + "\n")
    expected = errors(calor("run", PIPELINE, path, code=3))
    assert "line 21" in expected[0] and errors(mpirun(4, "run", PIPELINE, path, code=3)) == expected
    path.write_text("a,b,c\n")
    assert errors(mpirun(3, "run", PIPELINE, path, code=3)) == errors(calor("run", PIPELINE, path, code=3))


def test_the_same_bits_as_the_same_points_in_an_array(tmp_path):
    """Blocks are even however long the lines are: long numbers in the first rows, short ones in the last."""
    values = np.round(table(400), 6)
    values[200:] = np.round(values[200:])
    np.save(tmp_path / "points.npy", values)
    (tmp_path / "points.csv").write_text("\n".join(["a,b,c", *(",".join(repr(float(x)) if i < 200 else f"{x:g}" for x in row) for i, row in enumerate(values))]) + "\n")
    found = [document(mpirun(3, "run", "diffusion-map", tmp_path / name, "--json", "--quiet")) for name in ("points.csv", "points.npy")]
    assert [entry["rows"] for entry in found[0]["processes"]] == [134, 133, 133]
    assert found[0]["spectrum"] == found[1]["spectrum"] and found[0]["result"]["values"] == found[1]["result"]["values"]
