"""Processor seconds beside those of the clock, for a machine that others use too: ours are of the whole `calor run`, loading, quality
figures and writing included."""
import resource
import statistics


def _spent():
    return sum(getattr(resource.getrusage(who), part) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
               for part in ("ru_utime", "ru_stime"))


class Processor:
    """watch(runs) gives runs that are measured; line() tells the medians, ours first."""

    def __init__(self):
        self.seconds = {}

    def watch(self, runs):
        def watched(name, run):
            def measured():
                before = _spent()
                answer = run()
                self.seconds.setdefault(name, []).append(_spent() - before)
                return answer
            return measured
        return {name: watched(name, run) for name, run in runs.items()}

    def line(self):
        (ours, own), *others = ((name, statistics.median(spent)) for name, spent in self.seconds.items())
        text = "   ".join(f"{name} {spent:.2f} s ({spent / own:.2f} x)" for name, spent in others)
        return f"{'  processor':<34} {ours} {own:.2f} s (with loading and quality)   {text}"
