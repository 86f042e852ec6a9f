"""Why a peer's test does not pass, where it is not that ours has not what it asks for: {set: {(file, test): reason}}."""
REASONS: dict = {"sklearn": {}, "opentsne": {}, "umap": {}}
