"""Runs of calor-mpi as a discrete-event simulation: processes compute and wait for each other's messages, which links carry one at a time.

What a process computes is given in seconds (constants.py has them measured); the order of messages is that of calor/cluster/processes.cpp."""
import dataclasses

import simpy


@dataclasses.dataclass(frozen=True)
class Machine:
    latency: float = 1e-6     # seconds before a message's first byte arrives
    bandwidth: float = 25e9   # bytes a second on a process's way out, and as many on its way in
    overlap: bool = True      # messages move while their processes compute; False: once both wait for them
    eager: int = 4096         # gathered bytes up to which a collective call takes log2(P) messages; above, P - 1 round a ring (as Open MPI's)


class Process:
    """One process of a run: its methods are steps of its program, for `yield from`."""

    def __init__(self, run, rank):
        self.run, self.rank = run, rank
        self.computed = self.waited = 0.0
        self.sent = self.messages = self.turns = 0
        self.stages = {}  # by name: the seconds computed, the seconds waited, the clock at its end

    def compute(self, seconds):
        self.computed += seconds
        yield self.run.clock.timeout(seconds)

    def wait(self, events):
        begin = self.run.clock.now
        yield self.run.clock.all_of(events)
        self.waited += self.run.clock.now - begin

    def end(self, stage):
        before = [sum(done[part] for done in self.stages.values()) for part in (0, 1)]
        self.stages[stage] = (self.computed - before[0], self.waited - before[1], self.run.clock.now)

    def exchange(self, to, sent, source, received, tag):
        """The two sides of messages that this process sends and receives: events to wait for."""
        self.sent += sent
        self.messages += 1
        return [self.run.meet(self.rank, to, tag, sent), self.run.meet(source, self.rank, tag, received)]

    def ring(self, sizes, seconds):
        """Processes::each_block: `seconds(owner)` of work on each block, of `sizes[owner]` bytes, while the next one is on its way."""
        count, turn = self.run.count, self.turn()
        for step in range(count):
            owner = (self.rank + step) % count
            message = ((self.rank - 1) % count, sizes[owner], (self.rank + 1) % count, sizes[(owner + 1) % count], ("ring", turn, step))
            last = step + 1 == count
            events = self.exchange(*message) if self.run.machine.overlap and not last else []
            yield from self.compute(seconds(owner))
            if not self.run.machine.overlap and not last:
                events = self.exchange(*message)
            yield from self.wait(events)

    def gather(self, sizes):
        """An all-gather of `sizes[p]` bytes of each process."""
        count, turn = self.run.count, self.turn()
        if sum(sizes) <= self.run.machine.eager:
            distance = 1
            while distance < count:  # Bruck's: a process sends what it has of its followers to the one that precedes it by as many
                held = lambda rank: sum(sizes[(rank + n) % count] for n in range(min(distance, count - distance)))
                before, after = (self.rank - distance) % count, (self.rank + distance) % count
                yield from self.wait(self.exchange(before, held(self.rank), after, held(after), ("gather", turn, distance)))
                distance *= 2
            return
        for step in range(count - 1):
            yield from self.wait(self.exchange((self.rank + 1) % count, sizes[(self.rank - step) % count], (self.rank - 1) % count, sizes[(self.rank - step - 1) % count],
                                               ("gather", turn, step)))

    def sums(self, size):
        """Processes::sums of `size` bytes: each process adds up a part for all."""
        count, turn = self.run.count, self.turn()
        for step in range(1, count):
            yield from self.wait(self.exchange((self.rank + step) % count, size / count, (self.rank - step) % count, size / count, ("sums", turn, step)))
        yield from self.gather([size / count] * count)

    def turn(self):
        """Tells apart the calls of one kind: all processes make them in the same order."""
        self.turns += 1
        return self.turns


class Run:
    """`program(process)` in `count` processes; `seconds` is when the last one ends."""

    def __init__(self, machine, count, program):
        self.machine, self.count = machine, count
        self.clock = simpy.Environment()
        self.out, self.into = ([simpy.Resource(self.clock) for _ in range(count)] for _ in range(2))
        self.meetings = {}
        self.processes = [Process(self, rank) for rank in range(count)]
        for process in self.processes:
            self.clock.process(program(process))
        self.clock.run()
        if self.meetings:
            raise RuntimeError(f"messages that nobody took: {sorted(map(str, self.meetings))[:3]}")
        self.seconds = self.clock.now

    def meet(self, sender, receiver, tag, size):
        """A message goes when both sides have asked for it."""
        key = (sender, receiver, tag)
        if key in self.meetings:
            arrived = self.meetings.pop(key)
            self.clock.process(self.carry(sender, receiver, size, arrived))
        else:
            arrived = self.meetings[key] = self.clock.event()
        return arrived

    def carry(self, sender, receiver, size, arrived):
        with self.out[sender].request() as out, self.into[receiver].request() as into:
            yield out
            yield into
            yield self.clock.timeout(self.machine.latency + size / self.machine.bandwidth)
        arrived.succeed()
