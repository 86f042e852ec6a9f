"""calor train-translation and calor translate as a user runs them: a small language is learned, text goes in by file and by pipe, BLEU is printed, an interrupted
training goes on to the same file, and what is wrong is named with its remedy."""
import gzip
import json
import os
import random
import string
import time

import pytest

from command import cut_short, interrupted_at_work

DIGITS = "zero one two three four five".split()
ZIFFERN = "null eins zwei drei vier fünf".split()
SMALL = ["--vocabulary", 60, "--width", 32, "--layers", 1, "--heads", 2, "--hidden", 64, "--batch", 300, "--lr", 5e-3, "--warm-up", 100]


def sentences(count, seed):
    """Numbers in English, and in German from the last to the first."""
    draw = random.Random(seed)
    rows = [[draw.randrange(6) for _ in range(draw.randrange(2, 6))] for _ in range(count)]
    return ["\n".join(" ".join(words[k] for k in row[::step]) + "." for row in rows) + "\n" for words, step in ((DIGITS, 1), (ZIFFERN, -1))]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translation")
    for name, count, seed in (("train", 4000, 1), ("test", 100, 2)):
        for language, text in zip(("en", "de"), sentences(count, seed)):
            (folder / f"{name}.{language}").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=["self", "l2", "metric"])
def trained(request, calor, texts):
    model = texts / f"{request.param}.safetensors"
    done = calor("train-translation", texts / "train.en", texts / "train.de", "--score", request.param, *SMALL, "--dropout", 0, "--epochs", 25, "--save", model, "--json")
    return model, json.loads(done.stdout), done.stderr


def test_a_small_language_is_learned(calor, texts, trained):
    model, document, said = trained
    assert document["kind"] == "train-translation" and document["model"] == str(model) and document["failure"] is None
    assert len(document["epochs"]) == 25 and document["train"] + document["validation"] == 4000 and document["validation"] == 80
    assert said.count("validation loss") == 25 and "4,000 pairs" in said
    done = calor("translate", model, texts / "test.en", "--reference", texts / "test.de")
    wanted = (texts / "test.de").read_text(encoding="utf-8").splitlines()
    found = done.stdout.splitlines()
    assert sum(a == b for a, b in zip(found, wanted, strict=True)) > 95
    assert done.stderr.startswith("BLEU = ") and float(done.stderr.split()[2]) > 95
    document = json.loads(calor("translate", model, texts / "test.en", "--reference", texts / "test.de", "--json", "-q").stdout)
    assert document["translations"] == found and document["bleu"]["line"] == done.stderr.strip()


def test_text_goes_through_a_pipe_and_into_a_file(calor, texts, trained, tmp_path):
    model = trained[0]
    assert calor("translate", model, input="one two.\n\nthree four five.\n").stdout.splitlines()[1] == ""
    whole = calor("translate", model, texts / "test.en", "-o", tmp_path / "out.de").stdout
    assert whole == "" and len((tmp_path / "out.de").read_text(encoding="utf-8").splitlines()) == 100
    (tmp_path / "test.en.gz").write_bytes(gzip.compress((texts / "test.en").read_bytes()))
    assert calor("translate", model, tmp_path / "test.en.gz", "--beam", 1).stdout == calor("translate", model, texts / "test.en", "--beam", 1, "--threads", 2).stdout


def test_an_interrupted_training_goes_on_to_the_same_file(calor, texts, tmp_path):
    def train(epochs, model):
        return ["train-translation", texts / "train.en", texts / "train.de", *SMALL, "--epochs", epochs, "--checkpoint-seconds", 0, "--save", model, "-q"]

    model = tmp_path / "cut.safetensors"
    epochs, code, said = cut_short(train, model, 4)
    assert code == 130 and "goes on from" in said and not model.exists()
    assert "went on" in calor(*train(epochs, model)).stdout
    calor(*train(epochs, tmp_path / "whole.safetensors"))
    assert model.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert not (tmp_path / "cut.safetensors.checkpoint").exists()


def test_more_epochs_go_on_from_a_kept_checkpoint(calor, texts, tmp_path):
    def train(epochs, model, *more):
        words = ["train-translation", texts / "train.en", texts / "train.de", *SMALL, "--precision", "bf16", "--schedule", "plateau", "--epochs", epochs, "--save", model, "--json", "-q"]
        return json.loads(calor(*words, *more).stdout)

    parts, whole = tmp_path / "parts.safetensors", tmp_path / "whole.safetensors"
    assert len(train(1, parts, "--keep-checkpoint")["epochs"]) == 1
    document = train(3, parts)
    assert len(document["epochs"]) == 3 and document["protocol"]["precision"] == "bf16" and document["protocol"]["schedule"] == "plateau"
    train(3, whole)
    assert parts.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "parts.safetensors.checkpoint").exists()


def test_ctrl_c_is_heard_while_the_vocabulary_is_learned(tmp_path):
    draw = random.Random(1)
    for language in "en", "de":  # minutes of work for SentencePiece
        (tmp_path / language).write_text("".join(" ".join("".join(draw.choices(string.ascii_lowercase, k=12)) for _ in range(5)) + "\n" for _ in range(40_000)))
    begin = time.monotonic()
    code, _, said = interrupted_at_work("train-translation", tmp_path / "en", tmp_path / "de", "--vocabulary", 200_000, at="vocabulary")
    assert code == 130 and "interrupted" in said
    assert time.monotonic() - begin < 60


def test_a_checkpoint_of_another_command_is_refused(calor, texts, tmp_path):
    model = tmp_path / "m.safetensors"

    def train(epochs, path):
        return ["train-translation", texts / "train.en", texts / "train.de", *SMALL, "--epochs", epochs, "--checkpoint-seconds", 0, "--save", path, "-q"]

    epochs, _, _ = cut_short(train, model, 4)
    done = calor(*train(epochs, model), "--seed", 1, code=3)
    assert "seed (1, was 0)" in done.stderr and "--restart" in done.stderr


def test_what_is_wrong_is_named(calor, texts, tmp_path):
    english, german = texts / "train.en", texts / "train.de"
    for name, content in (("empty", b""), ("latin1", "größer\n".encode("latin-1") * 3), ("few", "eins\n".encode())):
        (tmp_path / name).write_bytes(content)
    assert "empty" in calor("train-translation", english, tmp_path / "empty", code=3).stderr
    assert "UTF-8" in calor("train-translation", english, tmp_path / "latin1", code=3).stderr
    assert "found 1 and 4,000" in calor("train-translation", english, tmp_path / "few", code=3).stderr
    assert "check the name" in calor("train-translation", english, tmp_path / "missing", code=3).stderr
    assert 'did you mean "metric"?' in calor("train-translation", english, german, "--attention", "metrik", code=2).stderr
    assert "bf16" in calor("train-translation", english, german, "--precision", "bf32", code=2).stderr
    assert 'did you mean "plateau"?' in calor("train-translation", english, german, "--schedule", "plateu", code=2).stderr
    assert "heads divide" in calor("train-translation", english, german, "--heads", 3, code=2).stderr
    assert "--vocabulary" in calor("train-translation", english, german, "--vocabulary", 10, code=2).stderr
    calor("train", "iris", "--epochs", 2, "--save", tmp_path / "network.safetensors", "-q", "--json")
    done = calor("translate", tmp_path / "network.safetensors", english, code=3)
    assert "calor predict" in done.stderr


def test_a_translator_is_not_for_other_commands(calor, texts, trained):
    model = trained[0]
    assert "calor translate" in calor("predict", model, "iris", code=3).stderr
    done = calor("translate", model, texts / "test.en", "--reference", texts / "train.de", code=3)
    assert "4,000 and 100" in done.stderr
    assert "beam" in calor("translate", model, texts / "test.en", "--beam", 0, code=2).stderr


def captions(folder, texts):
    """Multi30k's layout: training and validation sentences of two languages, one of the files gzipped."""
    folder.mkdir(parents=True)
    for part, of in (("train", "train"), ("val", "test")):
        for language in ("en", "de"):
            text = (texts / f"{of}.{language}").read_bytes()
            packed = (part, language) == ("train", "de")
            (folder / f"{part}.{language}{'.gz' if packed else ''}").write_bytes(gzip.compress(text) if packed else text)


@pytest.mark.parametrize("place", ["multi30k/raw", "multi30k"])
def test_captions_are_known_by_name(calor, texts, tmp_path, place):
    """The same bits as from the four files by their names; options may stand on either side of the word."""
    captions(tmp_path / place, texts)
    words, home = [*SMALL, "--epochs", 1, "--score", "uniform", "-q"], {**os.environ, "CALOR_DATA": str(tmp_path)}
    calor("train", "--seed", 3, "multi30k", *words, "--languages", "de-en", "--save", tmp_path / "word", env=home)
    at = tmp_path / place
    calor("train-translation", at / "train.de.gz", at / "train.en", "--validation", at / "val.de", at / "val.en", "--seed", 3, *words, "--save", tmp_path / "files")
    assert (tmp_path / "word").read_bytes() == (tmp_path / "files").read_bytes()


def test_captions_that_are_not_there(calor, tmp_path):
    nowhere = {name: value for name, value in os.environ.items() if name != "CALOR_DATA"}
    said = calor("train", "multi30k", code=3, env=nowhere).stderr
    assert "CALOR_DATA" in said and "it is not set" in said and "https://github.com/multi30k/dataset" in said and "train-translation" in said
    said = calor("train", "multi30k", code=3, env={**nowhere, "CALOR_DATA": str(tmp_path)}).stderr
    assert f"no such file in {tmp_path}" in said
    for languages in ("en", "en-en", "en-cz", "de_en"):
        assert "two of en, de and fr" in calor("train", "multi30k", "--languages", languages, code=2, env=nowhere).stderr
    assert "data is required" in calor("train", code=2).stderr
