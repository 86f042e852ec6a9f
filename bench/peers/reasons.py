"""Why a peer's test does not pass, where it is not that ours has not what it asks for: {set: {(file, test): reason}}."""

WORDS = "says it in other words (the test looks for the peer's message or class of warning)"
VERBOSE = "looks for what the peer prints"
INNER = "looks at the peer's own inner workings"
MORE = "ours takes what the peer refuses"
KERNEL = "mean shift with another kernel (Gaussian, the peer's is flat)"
GRAPH = "ours puts an edge where either of two points is among the other's nearest, also for new points; the peer asks the new point alone"
COMPONENTS = "ours lays out each component of a graph that falls apart by itself, and warns"
STEPS = "max_iter bounds each of k-means' starts in ours; the best then goes on until nothing moves"
REFUSED = "ours refuses it, with what to do instead"

REASONS: dict = {
    "sklearn": {
        ("test_classical_mds.py", "test_classical_mds_wrong_inputs"): WORDS,
        ("test_isomap.py", "test_pipeline"): COMPONENTS,
        ("test_isomap.py", "test_pipeline_with_nearest_neighbors_transformer"): GRAPH,
        ("test_isomap.py", "test_multiple_connected_components"): WORDS,
        ("test_isomap.py", "test_multiple_connected_components_metric_precomputed"): WORDS,
        ("test_mds.py", "test_normalized_stress_auto"): INNER,
        ("test_spectral_embedding.py", "test_pipeline_spectral_clustering"): COMPONENTS,
        ("test_spectral_embedding.py", "test_error_pyamg_not_available"): INNER,
        ("test_t_sne.py", "test_fit_transform_csr_matrix"): "principal components of sparse rows as t-SNE's start: ours begins with the graph's slow modes there",
        ("test_t_sne.py", "test_bad_precomputed_distances"): WORDS,
        ("test_t_sne.py", "test_exact_no_precomputed_sparse"): MORE,
        ("test_t_sne.py", "test_high_perplexity_precomputed_sparse_distances"): WORDS,
        ("test_t_sne.py", "test_pca_initialization_not_compatible_with_precomputed_kernel"): WORDS,
        ("test_t_sne.py", "test_n_components_range"): MORE,
        ("test_t_sne.py", "test_max_iter_used"): "n_iter_ counts steps from 1 in ours, in the peer from 0",
        ("test_t_sne.py", "test_verbose"): VERBOSE,
        ("test_t_sne.py", "test_64bit"): "ours gives 64-bit coordinates for 64-bit data, the peer's t-SNE 32-bit ones",
        ("test_t_sne.py", "test_n_iter_without_progress"): VERBOSE,
        ("test_t_sne.py", "test_accessible_kl_divergence"): VERBOSE,
        ("test_t_sne.py", "test_bh_match_exact"): REFUSED,
        ("test_t_sne.py", "test_tsne_with_different_distance_metrics"): "the same to 7 digits: the test's own table of distances is computed in 32 bits, ours in 64",
        ("test_t_sne.py", "test_tsne_perplexity_validation"): WORDS,
        ("test_k_means.py", "test_kmeans_init_auto_with_initial_centroids"): INNER,
        ("test_k_means.py", "test_kmeans_verbose"): VERBOSE,
        ("test_k_means.py", "test_score_max_iter"): STEPS,
        ("test_k_means.py", "test_kmeans_warns_less_centers_than_unique_points"): WORDS,
        ("test_k_means.py", "test_kmeans_elkan_iter_attribute"): STEPS,
        ("test_k_means.py", "test_warning_elkan_1_cluster"): "warns of a parameter that ours does not have",
        ("test_k_means.py", "test_n_init_auto"): INNER,
        ("test_k_means.py", "test_wrong_params"): WORDS,
        ("test_k_means.py", "test_sample_weight_init"): INNER,
        ("test_k_means.py", "test_sample_weight_zero"): INNER,
        ("test_mean_shift.py", "test_convergence_of_1d_constant_data"): REFUSED,
        ("test_mean_shift.py", "test_mean_shift"): KERNEL,
        ("test_mean_shift.py", "test_cluster_intensity_tie"): KERNEL,
        ("test_mean_shift.py", "test_max_iter"): "ours refuses to give clusters from steps that have not converged",
        ("test_spectral.py", "test_affinities"): WORDS,
        ("test_spectral.py", "test_verbose"): VERBOSE,
    },
    "opentsne": {
        ("test_correctness.py", "test_bh_with_n_components_gt_3"): MORE,
        ("test_correctness.py", "test_fft_with_n_components_gt_2"): MORE,
        ("test_tsne.py", "test_constructor"): INNER,
        ("test_tsne.py", "test_embedding_transform"): INNER,
        ("test_tsne.py", "test_pickling"): "pickles the peer's embedding object; ours pickles the estimator",
        ("test_tsne.py", "test_pickling_with_transform"): "pickles the peer's embedding object; ours pickles the estimator",
        ("test_tsne.py", "test_interpolation_grid_not_called_using_bh"): INNER,
    },
    "umap": {
        ("test_umap_validation_params.py", "test_umap_bad_too_large_min_dist"): MORE,
        ("test_umap_validation_params.py", "test_umap_bad_n_components"): MORE,
        ("test_umap_validation_params.py", "test_umap_bad_n_jobs"): MORE,
        ("test_umap_validation_params.py", "test_umap_inverse_transform_fails_expectedly"): REFUSED,
        ("test_umap_ops.py", "test_bad_transform_data"): REFUSED,
        ("test_composite_models.py", "test_composite_trustworthiness_on_iris"): "arithmetic of models (+, *, -)",
        ("test_composite_models.py", "test_contrastive_trustworthiness_on_iris"): "arithmetic of models (+, *, -)",
    },
}
