"""How far two embeddings are apart."""
import numpy as np
from scipy.linalg import subspace_angles


def angle(ours, theirs):
    """The greatest principal angle between the spans of the centred columns."""
    return float(np.max(subspace_angles(ours - ours.mean(0), theirs - theirs.mean(0))))
