"""Every estimator, as the checks make it: with parameters that suit their data of 20 to 50 rows, as scikit-learn's own are, and one thread, since so few
rows take no longer and the threads of other tests would be in the way."""
import calor

ESTIMATORS = [
    calor.MDS(), calor.MetricMDS(max_iter=100), calor.Isomap(n_neighbors=5), calor.LocallyLinearEmbedding(n_neighbors=5), calor.LaplacianEigenmaps(n_neighbors=5),
    calor.DiffusionMap(), calor.TSNE(perplexity=2, max_iter=300), calor.UMAP(n_neighbors=5, n_epochs=50), calor.SNE(perplexity=5),
    calor.KMeans(n_clusters=3), calor.SpectralClustering(n_clusters=3, n_neighbors=5), calor.MeanShift(),
    calor.KNeighborsClassifier(), calor.KNeighborsRegressor(), calor.NadarayaWatson(), calor.Propagator(), calor.PropagatorRegressor(),
    calor.LabelSpreading(n_neighbors=5), calor.Hopfield(), calor.FuzzyCMeans(n_clusters=3), calor.MarkovClustering(), calor.SVC(), calor.SVR(), calor.OneClassSVM(),
]
PIPELINES = [calor.Pipeline("isomap", ["knn.k=5"]), calor.Pipeline("k-means", ["k=3"]), calor.Pipeline("knn-classifier"), calor.Pipeline("nadaraya-watson")]  # an end of each kind
NETWORK = calor.MetricAttentionClassifier(layers=1, width=8, epochs=40, learning_rate=0.02)  # which needs the program's torch half
for estimator in [*ESTIMATORS, *PIPELINES, NETWORK]:
    estimator.set_params(n_jobs=1)
