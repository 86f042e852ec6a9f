"""The simulation of bench/scale on cases that can be reckoned by hand."""
import math
import pathlib
import sys

import pytest

pytest.importorskip("simpy", reason="SimPy is missing: tools/setup")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "scale"))
from simulation import Machine, Run  # noqa: E402

SLOW = Machine(latency=1.0, bandwidth=10.0, eager=0)  # a message of 20 bytes takes 3 s


def test_a_ring_that_hides_its_messages():
    """Two steps of 5 s; the message of 3 s moves meanwhile: 10 s, and nobody waits."""
    run = Run(SLOW, 2, lambda process: process.ring([20, 20], lambda owner: 5.0))
    assert run.seconds == 10 and [one.waited for one in run.processes] == [0, 0]
    assert [(one.sent, one.messages) for one in run.processes] == [(20, 1)] * 2


def test_a_ring_whose_messages_wait_for_the_work():
    """5 s, then 3 s for the message, then 5 s."""
    run = Run(Machine(1.0, 10.0, overlap=False), 2, lambda process: process.ring([20, 20], lambda owner: 5.0))
    assert run.seconds == 13 and [one.waited for one in run.processes] == [3, 3]


def test_a_ring_with_a_slow_block():
    """Three processes; work on block 2 takes 4 s, on the others 1 s; its message takes 6 s, the others' 3 s.

    process 0: works on 0 until 1; has 1 at 3, works until 4; asks at 3 for 2, which process 1 sends from 6 to 12; works until 16
    process 1: works on 1 until 1; has 2 at 6, works until 10; asks at 6 for 0, which process 2 sends until 9; works until 11
    process 2: works on 2 until 4; has 0 since 3, works until 5; asks at 4 for 1, which process 0 sends until 7; works until 8"""
    sizes, work = [20, 20, 50], [1.0, 1.0, 4.0]
    run = Run(SLOW, 3, lambda process: process.ring(sizes, lambda owner: work[owner]))
    assert run.seconds == 16
    assert [one.computed for one in run.processes] == [6, 6, 6]
    assert [one.sent for one in run.processes] == [40, 70, 70]


def test_collective_calls():
    """A ring of 3 messages of 3 s for 4 processes; the sum of 80 bytes sends quarters: 3 messages of 3 s out, and a ring of 3.  log2(4) messages of 20 and of 40 bytes where little is gathered."""
    assert Run(SLOW, 4, lambda process: process.gather([20] * 4)).seconds == 9
    assert Run(SLOW, 4, lambda process: process.sums(80)).seconds == 18
    assert Run(Machine(1.0, 10.0, eager=1000), 4, lambda process: process.gather([20] * 4)).seconds == 3 + 5
    assert Run(Machine(1.0, 10.0, eager=1000), 5, lambda process: process.gather([10] * 5)).seconds == 2 + 3 + 2
    assert Run(SLOW, 1, lambda process: process.sums(80)).seconds == 0


def test_one_way_out_at_a_time():
    """Two messages from one process to two others, each 3 s, leave one after the other."""
    def program(process):
        if process.rank == 0:
            yield from process.wait([process.run.meet(0, to, "here", 20) for to in (1, 2)])
        else:
            yield from process.wait([process.run.meet(0, process.rank, "here", 20)])
    assert Run(SLOW, 3, program).seconds == 6


def test_one_way_in_at_a_time():
    def program(process):
        messages = [(1, 0), (2, 0)] if process.rank == 0 else [(process.rank, 0)]
        yield from process.wait([process.run.meet(*message, "here", 20) for message in messages])
    assert Run(SLOW, 3, program).seconds == 6


def test_a_message_that_nobody_takes():
    def program(process):
        if process.rank == 0:
            process.run.meet(0, 1, "lost", 8)
        yield process.run.clock.timeout(1)
    with pytest.raises(RuntimeError, match="nobody took"):
        Run(SLOW, 2, program)


def test_time_in_a_ring_of_many():
    """With equal work and hidden messages P steps; with messages longer than the work P - 1 messages and the first step's work."""
    fast, slow = 0.5, 2.0
    assert math.isclose(Run(SLOW, 16, lambda process: process.ring([20] * 16, lambda owner: fast)).seconds, 15 * 3 + fast)
    assert math.isclose(Run(Machine(0.0, 20.0), 16, lambda process: process.ring([20] * 16, lambda owner: slow)).seconds, 16 * slow)
