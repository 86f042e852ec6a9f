"""The command line as tests run it.  CALOR_BINARY names another than build/calor."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
CALOR = pathlib.Path(os.environ.get("CALOR_BINARY", ROOT / "build" / "calor"))


def run(*words, code=0, **options):
    """run("data", "--json", code=0) runs the command, checks its exit code (one, or one of several) and returns the finished process;
    options go to subprocess.run."""
    assert CALOR.exists(), f"{CALOR} is missing: run `make build`"
    options = {"capture_output": True, "text": True, "timeout": 300, "cwd": ROOT, **options}
    done = subprocess.run([str(CALOR), *map(str, words)], **options)
    codes = code if isinstance(code, tuple) else (code,)
    assert done.returncode in codes, f"{words}: exit {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done


def document_of(page):
    """The document that a report holds."""
    text = page.read_text(encoding="utf-8")
    begin = '<script id="document" type="application/json">'
    return json.loads(text[text.index(begin) + len(begin):].split("</script>", 1)[0])
