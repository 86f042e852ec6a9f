"""Which recipes have their pages looked at, on which data, and what each page must show."""

# What to run, and the headings of the figures that its page must have.
PICTURE, SPECTRUM, BANDWIDTH, CONVERGENCE, CLUSTERS = "The picture", "Spectrum", "Bandwidth", "Convergence", "Cluster sizes"
RECIPES = {
    "mds": (["iris"], {PICTURE, SPECTRUM}),
    "mds-metric": (["iris"], {PICTURE, CONVERGENCE}),
    "isomap": (["iris", "--set", "knn.k=10", "--set", "eigen.k=5"], {PICTURE, SPECTRUM, "Components of the graph"}),
    "lle": (["iris", "--set", "knn.k=60", "--set", "eigen.k=3"], {PICTURE, SPECTRUM}),
    "laplacian-eigenmaps": (["moons", "--set", "eigen.k=5"], {PICTURE, SPECTRUM}),
    "diffusion-map": (["iris", "--set", "eigen.k=4"], {PICTURE, SPECTRUM, BANDWIDTH}),
    "spectral-clustering": (["moons", "--set", "k=6"], {PICTURE, SPECTRUM, CLUSTERS}),
    "k-means": (["wine", "--set", "k=3"], {PICTURE, CLUSTERS}),
    "fuzzy-c-means": (["iris", "--set", "k=3"], {PICTURE, CLUSTERS, CONVERGENCE}),
    "mean-shift": (["iris", "--set", "h=1"], {PICTURE, CLUSTERS, CONVERGENCE}),
    "knn-classifier": (["iris", "--train", "0.7"], {PICTURE, "Confusion matrix", "Calibration"}),
    "knn-regressor": (["{waves}", "--train", "0.7"], {PICTURE, "Predicted and true"}),
    "nadaraya-watson": (["{waves}", "--train", "0.7"], {PICTURE, BANDWIDTH, "Predicted and true"}),
    "svm": (["moons", "--train", "0.7"], {PICTURE, "Confusion matrix", "Calibration"}),
    "svm-regressor": (["{waves}", "--train", "0.7"], {PICTURE, "Predicted and true"}),
    "one-class-svm": (["iris"], {PICTURE}),
    "label-spreading": (["moons", "--train", "0.1"], {PICTURE, CONVERGENCE, "Confusion matrix", "Calibration"}),
    "hopfield": (["iris"], {PICTURE, CONVERGENCE}),
    "pagerank": (["{web}"], {"Ranking", CONVERGENCE}),
    "mcl": (["{web}"], {CLUSTERS, CONVERGENCE}),
}


def write_csv(path, columns):
    rows = zip(*columns.values())
    path.write_text("\n".join([",".join(columns)] + [",".join(map(str, row)) for row in rows]) + "\n")
    return path
