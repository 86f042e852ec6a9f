"""Small labelled data, and what a short training may end with."""

# compare's exit codes where the epochs may be too few for any run to learn.
SHORT = (0, 5)


def two_blobs(rows=40, header=True, label="kind", names=("left", "right")):
    """A csv of two well separated blobs, deterministic, with a text label."""
    lines = [f"a,b,{label}"] if header else []
    for i in range(rows):
        side = i % 2
        wobble = ((i * 7919) % 101) / 101 - 0.5
        lines.append(f"{4 * side - 2 + wobble:.6f},{wobble * wobble - side:.6f},{names[side]}")
    return "\n".join(lines) + "\n"
