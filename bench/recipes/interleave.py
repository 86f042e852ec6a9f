"""Runs of one task in turn, their answers checked before their times are shown."""
import statistics


def interleave(runs, check, rounds=3):
    """Runs `runs` = {name: callable -> (seconds, answer)} in turn, `rounds` times; the first is ours, the second its peer.

    check(answers) gets {name: first answer} and gives a quality figure in words; it raises AssertionError for a wrong answer.
    Returns ({name: median seconds}, quality)."""
    seconds = {name: [] for name in runs}
    answers = {}
    for _ in range(rounds):
        for name, run in runs.items():
            took, answer = run()
            seconds[name].append(took)
            answers.setdefault(name, answer)
    return {name: statistics.median(times) for name, times in seconds.items()}, check(answers)


def row(task, medians, quality):
    """One line of the table: each run's median seconds, the peers' as multiples of ours."""
    (ours, own), *others = medians.items()
    text = "   ".join(f"{name} {took:.2f} s ({took / own:.2f} x)" for name, took in others)
    return f"{task:<34} {ours} {own:.2f} s   {text}   {quality}"
