#!/usr/bin/python3
"""tiny_space.py OUT.nc [CELLS] [MISSING]: a made-up space of chain-shaped cells, the same each time.

Five nodes (input, three operations of four, output). The accuracy grows with the operations' weights and a little
deterministic noise; the early losses know part of it. The first MISSING cells from cell 7 on have no early losses."""
import sys

import netCDF4
import numpy as np

path = sys.argv[1]
cells = int(sys.argv[2]) if len(sys.argv) > 2 else 64
missing = int(sys.argv[3]) if len(sys.argv) > 3 else 0
names = ["input", "skip", "pool", "conv1", "conv3", "output"]

index = np.arange(cells)
digits = np.stack([index // 4**i % 4 for i in range(3)], axis=1)
operation = np.zeros((cells, 5), dtype="i1")
operation[:, 1:4] = digits + 1
operation[:, 4] = 5
noise = (index * 7919 % 1009) / 1009.0
quality = digits @ np.array([3.0, 2.0, 1.0]) + noise
accuracy = np.stack([60 + quality, 30 + 1.5 * quality + (index * 31 % 17) / 17.0])
loss = 2.5 - quality[:, None] / 12 - 0.3 * np.arange(3) + 0.1 * noise[:, None]

with netCDF4.Dataset(path, "w") as f:
    f.title = "made-up chains"
    for name, size in [("cell", cells), ("node", 5), ("node_to", 5), ("dataset", 2), ("code", 3)]:
        f.createDimension(name, size)
    v = f.createVariable("operation", "i1", ("cell", "node"))
    v.flag_values = np.arange(6, dtype="i1")
    v.flag_meanings = " ".join(names)
    v[:] = operation
    f.createVariable("adjacency", "i1", ("node", "node_to"))[:] = np.eye(5, k=1, dtype="i1")
    f.createVariable("id", "i4", ("cell",))[:] = 1000 + index
    v = f.createVariable("dataset", str, ("dataset",))
    v[0], v[1] = "one", "two"
    v = f.createVariable("accuracy", "f8", ("dataset", "cell"), fill_value=np.nan)
    v.units = "percent"
    v[:] = accuracy
    v = f.createVariable("early_loss", "f8", ("cell", "code"), fill_value=np.nan)
    loss[7 : 7 + missing] = np.nan
    v[:] = loss
    v = f.createVariable("flops", "f8", ("cell",), fill_value=np.nan)
    v.units = "M"
    v[:] = 1 + digits.sum(axis=1)
