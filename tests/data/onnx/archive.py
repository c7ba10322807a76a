# SPDX-License-Identifier: MIT
"""Writes cases as tests/onnx_conformance reads them: CASE/model, the bytes of the file, CASE/in_0, ... and CASE/out_0, ... in a .npz;
that is the array `cases` of another, since many small arrays are compressed far better at once."""
import io
import os
import zipfile

import numpy as np


def entry(archive, name, array):
    data = io.BytesIO()
    np.lib.format.write_array(data, np.asarray(array, order="C"))
    archive.writestr(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), data.getvalue(), archive.compression, 9)


def write(path, cases):
    """Cases: by name, the model, its inputs and its outputs.  The same cases make the same bytes."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_STORED) as archive:
        for name, (model, inputs, outputs) in cases.items():
            entry(archive, f"{name}/model", np.frombuffer(model, np.uint8))
            for kind, arrays in (("in", inputs), ("out", outputs)):
                for i, x in enumerate(arrays):
                    entry(archive, f"{name}/{kind}_{i}", x)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        entry(archive, "cases", np.frombuffer(inner.getvalue(), np.uint8))
    print(f"{len(cases)} cases, {os.path.getsize(path)} bytes")
