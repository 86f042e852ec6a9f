"""The command line as tests run it.  CALOR_BINARY names another than build/calor."""
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
CALOR = pathlib.Path(os.environ.get("CALOR_BINARY", ROOT / "build" / "calor"))


def run(*words, code=0, **options):
    """run("data", "--json", code=0) runs the command, checks its exit code (one, one of several, or None for any) and returns the finished process;
    options go to subprocess.run."""
    assert CALOR.exists(), f"{CALOR} is missing: run `make build`"
    options = {"capture_output": True, "text": True, "timeout": 600, "cwd": ROOT, **options}
    done = subprocess.run([str(CALOR), *map(str, words)], **options)
    codes = code if isinstance(code, tuple) else (code,)
    assert code is None or done.returncode in codes, f"{words}: exit {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done


def interrupted_at_work(*words, at=" % "):
    """(exit code, stdout, stderr) of a command that had Ctrl-C as soon as it showed how far its work is, of the kind `at`.  Its stderr is a terminal, or it
    would not show that; the work is to last for minutes."""
    terminal, other_end = pty.openpty()
    process = subprocess.Popen([str(CALOR), *map(str, words)], cwd=ROOT, stdout=subprocess.PIPE, stderr=other_end, text=True,
                               env={**os.environ, "NO_COLOR": "1"})
    os.close(other_end)
    said = ""
    while select.select([terminal], [], [], 600)[0]:
        try:
            more = os.read(terminal, 4096).decode()
        except OSError:  # the command has ended
            break
        if at in more and at not in said:
            process.send_signal(signal.SIGINT)
        said += more
    os.close(terminal)
    out = process.communicate(timeout=600)[0]
    assert " % " in said, said
    return process.returncode, out, said


def cut_short(train, model, epochs, how=signal.SIGINT):
    """A training with a checkpoint, then stopped by the signal: (its number of epochs, its exit code, its stderr).  `train(epochs, model)` is
    its command line; one that has ended before the signal comes is given more to do."""
    checkpoint = model.with_name(model.name + ".checkpoint")
    for epochs in (epochs, 8 * epochs, 64 * epochs):
        process = subprocess.Popen([str(CALOR), *map(str, train(epochs, model))], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not checkpoint.exists() and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(how)
        said = process.communicate(timeout=600)[1]
        if process.returncode != 0:
            return epochs, process.returncode, said
        model.unlink()
    raise AssertionError("every training ended before its checkpoint was seen")


def document_of(page):
    """The document that a report holds."""
    text = page.read_text(encoding="utf-8")
    begin = '<script id="document" type="application/json">'
    return json.loads(text[text.index(begin) + len(begin):].split("</script>", 1)[0])
