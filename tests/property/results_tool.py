#!/usr/bin/python3
"""What faults.sh does to results files and asks of them: results_tool.py WHAT ..."""
import random
import sys

import netCDF4
import numpy as np


def same(a, b):
    """The same variables, values and attributes, if not the same bytes."""
    with netCDF4.Dataset(a) as x, netCDF4.Dataset(b) as y:
        assert list(x.variables) == list(y.variables)
        assert {k: x.getncattr(k) for k in x.ncattrs()} == {k: y.getncattr(k) for k in y.ncattrs()}
        for name in x.variables:
            p, q = x[name], y[name]
            p.set_auto_mask(False), q.set_auto_mask(False)
            assert np.array_equal(p[:], q[:], equal_nan=p.dtype.kind == "f" if p.dtype is not str else False), name


def unfinish(path, units):
    """Finished results become a part in which the last units are missing."""
    with netCDF4.Dataset(path, "a") as f:
        complete = f["complete"][:].ravel()
        complete[-int(units):] = 0
        f["complete"][:] = complete.reshape(f["complete"].shape)


def flip(path, seed, begin, end):
    """Change one to three bytes at random places between two fractions of the file."""
    chance = random.Random(int(seed))
    with open(path, "r+b") as f:
        size = f.seek(0, 2)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(int(size * float(begin)), int(size * float(end)))
            f.seek(at)
            byte = f.read(1)[0] ^ chance.choice([1, 2, 4, 8, 16, 32, 64, 128, 255])
            f.seek(at)
            f.write(bytes([byte]))


if __name__ == "__main__":
    {f.__name__: f for f in (same, unfinish, flip)}[sys.argv[1]](*sys.argv[2:])
