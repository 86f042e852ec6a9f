"""Small files for the command line."""
import pytest

from blobs import two_blobs


@pytest.fixture
def blobs(tmp_path):
    path = tmp_path / "blobs.csv"
    path.write_text(two_blobs())
    return path
