"""How well self, l2 and metric translate: Multi30k, English to German, validation loss per epoch, BLEU on the 1,000 sentences of test_2016_flickr, and what training costs.

    PYTHON bench/translation_study.py [--data FOLDER] [--epochs 10] [--seeds 2] [--out build/translation-study] [--precision float|bf16] [-- OPTIONS OF TRAIN-TRANSLATION]

All runs are trained for an epoch before any is trained for the next, so that a study that is cut short still compares runs of equal length.  The same command
goes on where the last one stopped, also with more epochs or seeds; the learning rate does not depend on their number.  BLEU is computed after the last epoch.  FOLDER holds train, val and
test_2016_flickr (.en.gz, .de.gz).  Writes study.json, table.md and losses.svg to --out after every epoch.
"""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CALOR = pathlib.Path(os.environ.get("CALOR_BINARY", ROOT / "build" / "calor"))
DATA = pathlib.Path(os.environ.get("CALOR_DATA", "data")) / "multi30k" / "raw"
SCORES = ("self", "l2", "metric")
COLOURS = {"self": "#4477aa", "l2": "#ee6677", "metric": "#228833"}


def calor(*words):
    """(standard output, processor seconds)"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([CALOR, *map(str, words)], check=True, stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def files(data, split):
    return data / f"{split}.en.gz", data / f"{split}.de.gz"


def train(given, score, seed, epochs):
    model = given.out / f"{score}-{seed}.safetensors"
    text, seconds = calor("train-translation", *files(given.data, "train"), "--validation", *files(given.data, "val"), "--attention", score, "--seed", seed, "--epochs", epochs,
                          "--precision", given.precision, "--threads", 1, "--save", model, "--keep-checkpoint", "--json", "-q", *given.options)
    return json.loads(text), seconds


def bleu(given, score, seed):
    source, reference = files(given.data, "test_2016_flickr")
    text, seconds = calor("translate", given.out / f"{score}-{seed}.safetensors", source, "--reference", reference, "--threads", 1, "--json", "-q")
    return json.loads(text)["bleu"], seconds


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers)


def table(study):
    """A row a score, means over the seeds that are as far as the others."""
    runs = list(study["runs"].values())
    epochs = min(len(run["validation_loss"]) for run in runs)
    rows = ["| score | seeds | " + " | ".join(f"epoch {e + 1}" for e in range(epochs)) + " | BLEU after epoch " + str(epochs) + " |", "|" + "---|" * (epochs + 3)]
    for score in SCORES:
        of = [run for run in runs if run["score"] == score]
        if not of:
            continue
        losses = (f"{mean(run['validation_loss'][e] for run in of):.3f}" for e in range(epochs))
        scored = [run["bleu"][str(epochs)] for run in of if str(epochs) in run["bleu"]]
        rows.append(f"| {score} | {len(of)} | " + " | ".join(losses) + f" | {f'{mean(scored):.1f}' if scored else '-'} |")
    return "\n".join(rows) + "\n"


def picture(study):
    """Validation loss by epoch, a line a run."""
    runs = study["runs"].values()
    epochs = max(len(run["validation_loss"]) for run in runs)
    losses = [loss for run in runs for loss in run["validation_loss"]]
    low, high = min(losses), max(losses)
    pad = 0.05 * (high - low) or 0.1
    low, high = low - pad, high + pad
    left, top, width, height = 60, 20, 480, 280

    def across(epoch):
        return left + width * (epoch - 1) / max(epochs - 1, 1)

    def down(loss):
        return top + height * (high - loss) / (high - low)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 90} {top + height + 50}" font-family="sans-serif" font-size="13">',
             '<rect width="100%" height="100%" fill="white"/>']
    for k in range(6):
        loss = low + (high - low) * k / 5
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{down(loss):.1f}" y2="{down(loss):.1f}" stroke="#ddd"/>'
                     f'<text x="{left - 8}" y="{down(loss) + 4:.1f}" text-anchor="end">{loss:.2f}</text>')
    parts += [f'<text x="{across(e):.1f}" y="{top + height + 20}" text-anchor="middle">{e}</text>' for e in range(1, epochs + 1)]
    parts.append(f'<text x="{left + width / 2}" y="{top + height + 42}" text-anchor="middle">epoch; validation loss in nats per piece</text>')
    ends = {}
    for run in runs:
        points = " ".join(f"{across(e + 1):.1f},{down(loss):.1f}" for e, loss in enumerate(run["validation_loss"]))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[run["score"]]}" stroke-width="2"/>')
        ends[run["score"]] = (across(len(run["validation_loss"])), down(run["validation_loss"][-1]))
    lowest = -1e9
    for score, (x, y) in sorted(ends.items(), key=lambda end: end[1][1]):
        lowest = max(y + 4, lowest + 15)  # names do not cover each other
        parts.append(f'<text x="{x + 8:.1f}" y="{lowest:.1f}" fill="{COLOURS[score]}">{score}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def write(study, out):
    (out / "study.json").write_text(json.dumps(study, indent=1) + "\n", encoding="utf-8")
    (out / "table.md").write_text(table(study), encoding="utf-8")
    (out / "losses.svg").write_text(picture(study), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, default=DATA)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "translation-study")
    parser.add_argument("--precision", default="float")
    parser.add_argument("options", nargs="*", help="of calor train-translation, after --")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    stored = given.out / "study.json"
    study = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else {"precision": given.precision, "options": given.options, "runs": {}}
    if (study["precision"], study["options"]) != (given.precision, given.options):
        sys.exit(f"{stored} is of another study: precision {study['precision']}, options {study['options']}; give another --out")
    for epoch in range(1, given.epochs + 1):
        for seed in range(given.seeds):
            for score in SCORES:
                run = study["runs"].setdefault(f"{score}-{seed}", {"score": score, "seed": seed, "validation_loss": [], "training_loss": [], "bleu": {}, "cpu_seconds": 0, "bleu_seconds": 0})
                if len(run["validation_loss"]) < epoch:
                    document, seconds = train(given, score, seed, epoch)
                    run.update({name: [e[name] for e in document["epochs"]] for name in ("validation_loss", "training_loss", "pieces")})
                    run["parameters"] = document["parameters"]
                    run["cpu_seconds"] += seconds
                    print(f"epoch {epoch} seed {seed} {score}: validation loss {run['validation_loss'][-1]:.4f}, {seconds:.0f} s", flush=True)
                    stored.write_text(json.dumps(study, indent=1) + "\n", encoding="utf-8")
                if len(run["validation_loss"]) == epoch == given.epochs and str(epoch) not in run["bleu"]:
                    found, run["bleu_seconds"] = bleu(given, score, seed)
                    run["bleu"][str(epoch)] = found["score"]
                    print(f"epoch {epoch} seed {seed} {score}: BLEU {found['score']:.2f}, {run['bleu_seconds']:.0f} s", flush=True)
        write(study, given.out)
    print(table(study))


if __name__ == "__main__":
    main()
