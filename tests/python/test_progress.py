"""Bars of progress: on stderr, and in a kernel of Jupyter one display that is updated; nothing without verbose."""
import re
import subprocess
import sys

import numpy as np
import pytest

import calor
from calor._progress import Terminal


def test_progress_is_on_stderr_and_interruption_is_prompt(tmp_path):
    """A descent that would take minutes says how far it is, and ends soon after SIGINT with the map that it has; the process goes on."""
    (tmp_path / "long.py").write_text(
        "import os, signal, threading, time, numpy as np, calor, calor._progress as progress\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # which a shell's background jobs lack
        "X = np.random.default_rng(0).normal(size=(3000, 20))\n"
        "draw, at = progress.Terminal.__call__, []\n"
        "def interrupt():\n    at.append(time.monotonic())\n    os.kill(os.getpid(), signal.SIGINT)\n"
        "def seen(self, *how_far):\n"
        "    if not at and 'stress' in how_far: at.append(0), threading.Timer(0.3, interrupt).start()\n"
        "    draw(self, *how_far)\n"
        "progress.Terminal.__call__ = seen\n"
        "found = calor.MetricMDS(tol=0, max_iter=10**8, verbose=True).fit(X)\n"
        "print('stopped after', time.monotonic() - at[1], np.isfinite(found.embedding_).all())\n"
        "print(calor.MDS().fit_transform(X[:50]).shape)\n")
    done = subprocess.run([sys.executable, str(tmp_path / "long.py")], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "interrupted: this is the map as it was then" in done.stderr and "True\n" in done.stdout
    assert done.stdout.startswith("stopped after") and done.stdout.endswith("(50, 2)\n") and re.search(r"\n\[#+\.*\] +\d+ %  \w", done.stderr)  # \r, read as text


def test_the_bar(capsys):
    """Its length is the share that is done, beyond the end too; without a known end a count."""
    drawn = Terminal()
    for done, total in ((0, 4), (1, 4), (4, 4), (5, 4), (12, 0)):
        drawn(done, total, "stress 1.5")
    drawn.close()
    lines = capsys.readouterr().err.split("\r")
    assert [line.count("#") for line in lines[1:6]] == [0, 7, 30, 30, 0]
    assert [re.search(r"\] +(\d+) %", line)[1] for line in lines[1:5]] == ["0", "25", "100", "100"]
    assert lines[5].startswith("12  stress 1.5") and lines[6].strip() == "" and len(lines[6]) >= max(map(len, lines[1:6]))


def test_without_verbose_there_is_none(capfd):
    calor.MetricMDS(tol=0.1).fit(np.random.default_rng(0).normal(size=(60, 3)))
    assert capfd.readouterr().err == ""


def test_in_a_notebook_it_is_updated_in_its_place():
    """What a kernel sends to its front end: one display of the bar, updates of that same one, and at last its emptiness; nothing on stderr."""
    pytest.importorskip("ipykernel", reason="ipykernel is missing: tools/setup")
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=120)
    try:
        sent = []
        client.execute_interactive("import numpy as np, warnings, calor; warnings.simplefilter('ignore')\n"
                                   "_ = calor.MetricMDS(tol=0, max_iter=3000, verbose=True).fit(np.random.default_rng(0).normal(size=(400, 5)))",
                                   output_hook=sent.append, timeout=240)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    bars = [message for message in sent if message["msg_type"] in ("display_data", "update_display_data")]
    assert [message["msg_type"] for message in bars[:2]] == ["display_data", "update_display_data"] and {message["msg_type"] for message in bars[1:]} == {"update_display_data"}
    assert len({message["content"]["transient"]["display_id"] for message in bars}) == 1
    assert "<progress value=" in bars[0]["content"]["data"]["text/html"] and bars[-1]["content"]["data"]["text/html"] == ""
    assert not [message for message in sent if message["msg_type"] in ("stream", "error")]
