"""Embeddings compared as what they span: columns may be turned and scaled."""
import numpy as np
from scipy.linalg import subspace_angles


def angle(ours, theirs):
    """The largest principal angle between both column spaces, constants taken out, in radians."""
    return float(np.max(subspace_angles(ours - ours.mean(0), theirs - theirs.mean(0))))
