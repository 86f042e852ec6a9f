"""Files that are stored for ever beside what was said with them, and the same files as a newer version of the same format would write them."""
import json
import struct

import numpy as np

from results import table


def assert_says(text, expected, share):
    """A csv says what the expected one does: the same words, and numbers within `share` of the greatest in their column."""
    found, expected = table(text), table(expected)
    assert found.dtype.names == expected.dtype.names and len(found) == len(expected)
    for name in expected.dtype.names:
        if expected[name].dtype.kind == "U":
            assert (found[name] == expected[name]).all(), name
        else:
            np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=share * np.nanmax(np.abs(expected[name])), err_msg=name)


def as_newer(path, to, metadata, tensors):
    """Copies a safetensors file with more metadata (texts) and tensors (arrays of doubles), which come before and after its own."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, own = json.loads(data[8:8 + size]), data[8 + size:]
    header["__metadata__"].update(metadata)
    for name, values in tensors.items():
        values = np.asarray(values, dtype="<f8")
        header[name] = {"dtype": "F64", "shape": list(values.shape), "data_offsets": [len(own), len(own) + values.nbytes]}
        own += values.tobytes()
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    to.write_bytes(struct.pack("<Q", len(text)) + text + own)
    return to
