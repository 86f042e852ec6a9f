"""Prints openTSNE's affinities of the points of test_stages.py, which reads them from opentsne_affinities.csv (made with openTSNE 1.0.4):

    python tests/pipeline/make_opentsne_affinities.py > tests/pipeline/opentsne_affinities.csv"""
import sys

import numpy as np
from openTSNE.affinity import PerplexityBasedNN

x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32).astype(float)
found = PerplexityBasedNN(x, perplexity=5, method="exact").P.tocoo()
sys.stdout.write("".join(f"{i},{j},{value:.10g}\n" for i, j, value in sorted(zip(found.row, found.col, found.data))))
