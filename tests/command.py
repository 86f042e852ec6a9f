"""The command line as tests run it.  CALOR_BINARY names another than build/calor."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
CALOR = pathlib.Path(os.environ.get("CALOR_BINARY", ROOT / "build" / "calor"))


def run(*words, code=0, **options):
    """run("data", "--json", code=0) runs the command, checks its exit code (one, one of several, or None for any) and returns the finished process;
    options go to subprocess.run."""
    assert CALOR.exists(), f"{CALOR} is missing: run `make build`"
    options = {"capture_output": True, "text": True, "timeout": 300, "cwd": ROOT, **options}
    done = subprocess.run([str(CALOR), *map(str, words)], **options)
    codes = code if isinstance(code, tuple) else (code,)
    assert code is None or done.returncode in codes, f"{words}: exit {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done


def interrupt(process, wait=0):
    """Ctrl-C to a command that has come far enough to catch it, and has then worked for `wait` seconds."""
    status = pathlib.Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        caught = re.search(r"SigCgt:\s*([0-9a-f]+)", status.read_text())
        if caught and int(caught[1], 16) >> (signal.SIGINT - 1) & 1:
            break
        time.sleep(0.01)
    time.sleep(wait)
    assert process.poll() is None, "the work should take longer than this test waits"
    process.send_signal(signal.SIGINT)


def document_of(page):
    """The document that a report holds."""
    text = page.read_text(encoding="utf-8")
    begin = '<script id="document" type="application/json">'
    return json.loads(text[text.index(begin) + len(begin):].split("</script>", 1)[0])
