"""umap-learn's class, computed by ours."""
import umap
import umap.umap_

import calor
from adapters import Adapter, Missing, start_of


class UMAP(Adapter):
    peer, ours = umap.UMAP, calor.UMAP
    names = {name: name for name in ("n_neighbors", "n_components", "metric", "n_epochs", "learning_rate", "init", "min_dist", "spread", "negative_sample_rate",
                                     "target_weight", "random_state")}
    free = Adapter.free | {"low_memory", "transform_queue_size", "angular_rp_forest", "transform_seed", "force_approximation_algorithm", "tqdm_kwds"}

    def adapt(self, given):
        given["init"] = start_of(given["init"])
        return super().adapt(given)

    def fit(self, X, y=None, **more):
        if y is not None and self.target_metric not in ("categorical", "string"):  # ours takes texts too
            raise Missing("values other than classes as the target")
        return super().fit(X, y, **more)


def replace():
    umap.UMAP = umap.umap_.UMAP = UMAP
