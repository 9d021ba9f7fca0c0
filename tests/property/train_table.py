#!/usr/bin/python3
"""What train.sh asks of tables that were trained: train_table.py QUESTION ..."""
import os
import struct
import sys
import time

import netCDF4
import numpy as np

CELLS, OPERATIONS = 125, ["none", "skip", "conv1", "conv3", "pool"]  # digits of a cell's number: 0>1, 0>2, 1>2


def images(path):
    """Bars in three directions with noise; 96 training, 33 validation, 66 test images."""
    random = np.random.RandomState(3)
    split = np.repeat([0, 1, 2], [96, 33, 66])
    label = np.arange(len(split)) % 3
    pixel = random.randint(0, 100, (len(split), 8, 8))
    for image, direction in zip(pixel, label):
        at = random.randint(8)
        place = [np.s_[at, :], np.s_[:, at], np.arange(8)]
        image[(place[2], place[2]) if direction == 2 else place[direction]] += 120
    with netCDF4.Dataset(path, "w") as f:
        for name, length in zip(("image", "height", "width"), pixel.shape):
            f.createDimension(name, length)
        f.createVariable("pixel", "u1", ("image", "height", "width"), zlib=True)[:] = pixel
        for name, value, words in (("label", label, "row column diagonal"), ("split", split, "train validation test")):
            v = f.createVariable(name, "i1", ("image",))
            v.flag_values, v.flag_meanings = np.arange(3, dtype="i1"), words
            v[:] = value


def meaning(cell):
    """What a cell computes: its ways from input to output, each with its operations, in no order."""
    first, direct, second = (OPERATIONS[cell // n % 5] for n in (25, 5, 1))
    ways = [w for w in ((direct,), (first, second)) if "none" not in w]
    return tuple(sorted(tuple(o for o in w if o != "skip") for w in ways))


def values(f):
    """[cell][value] of all that trainings find out."""
    row = list(f["dataset"][:]).index("bars")
    v = [f["accuracy"][row], f["validation_accuracy"][row], f["synflow"][:], *f["early_loss"][:].T]
    return np.stack([np.ma.filled(x, np.nan) for x in v], axis=1)


def same(a, b):
    """All but the time that it took."""
    with netCDF4.Dataset(a) as x, netCDF4.Dataset(b) as y:
        assert list(x.variables) == list(y.variables), (list(x.variables), list(y.variables))
        for name in x.variables:
            for k in x[name].ncattrs():
                assert np.array_equal(x[name].getncattr(k), y[name].getncattr(k), equal_nan=k == "_FillValue"), (name, k)
            p, q = np.ma.asarray(x[name][:]), np.ma.asarray(y[name][:])
            assert np.array_equal(np.ma.getmaskarray(p), np.ma.getmaskarray(q)), name
            assert name == "train_seconds" or p.tolist() == q.tolist(), name
        assert np.ma.filled(x["train_seconds"][:], 1).min() > 0


def known(path, cells):
    """Exactly these cells have accuracies; codes are all there, flops and params, too."""
    which = {c for w in cells.split(",") for c in range(int(w.split("..")[0]), int(w.split("..")[-1]) + 1)}
    with netCDF4.Dataset(path) as f:
        v = values(f)
        assert {c for c in range(CELLS) if not np.isnan(v[c, :2]).any()} == which
        assert np.isnan(v[[c for c in range(CELLS) if c not in which], :2]).all()
        assert not np.isnan(v[:, 2:]).any()
        assert (v[sorted(which), 0] >= 0).all() and (v[sorted(which), 0] <= 100).all()
        assert len(np.unique(v[sorted(which), 0])) > 1
        for name in "flops", "params":
            assert (np.ma.filled(f[name][:], np.nan) > 0).all(), name


def classes(path):
    with netCDF4.Dataset(path) as f:
        v = values(f)
    of = {}
    for c in range(CELLS):
        assert (v[c] == v[of.setdefault(meaning(c), c)]).all(), (c, of[meaning(c)])
    assert len(of) == 60
    assert len({tuple(v[c, 3:]) for c in of.values()}) == 60  # even the losses of two that differ are never all equal


def counts(path):
    """A network of 4 and 8 channels on 8 x 8 and 4 x 4 pixels; convolutions count wherever they stand."""
    cost = {"conv1": (4 * 4 * 64 + 8 * 8 * 16, 4 * 4 + 8 * 8 + 2 * 12), "conv3": (9 * (4 * 4 * 64 + 8 * 8 * 16), 9 * (16 + 64) + 2 * 12)}
    # stem, reduction with its shortcut, last normalisation, linear layer
    flops = 9 * 4 * 64 + 9 * (4 * 8 + 8 * 8) * 16 + 4 * 8 * 16 + (8 + 1) * 3
    params = 9 * 4 + 8 + 9 * (4 * 8 + 8 * 8) + 32 + 4 * 8 + 16 + (8 + 1) * 3
    with netCDF4.Dataset(path) as f:
        for c in range(CELLS):
            more = [cost.get(OPERATIONS[c // n % 5], (0, 0)) for n in (25, 5, 1)]
            for name, base, k in ("flops", flops, 0), ("params", params, 1):
                assert abs(f[name][c] * 1e6 - base - sum(m[k] for m in more)) < 1e-3, (c, name, f[name][c] * 1e6)


def copies(cells):
    wanted = {meaning(int(c)) for c in cells.split(",")}
    print(",".join(str(c) for c in range(CELLS) if meaning(c) in wanted))


def diverged(path):
    with netCDF4.Dataset(path) as f:
        row = list(f["dataset"][:]).index("bars")
        assert f["accuracy"][row].mask.all()
        losses = np.ma.filled(f["early_loss"][:], np.nan)
        assert np.isnan(losses[:, -1]).all()
        assert (np.diff(np.isnan(losses).astype(int)) >= 0).all()  # nothing behind a gap
        assert not np.ma.getmaskarray(f["synflow"][:]).any()


def count_records(path):
    """The file of ledger.c: a head of 4096 bytes, then records that begin with their place, not zero."""
    try:
        with open(path, "rb") as f:
            data = f.read()
    except FileNotFoundError:
        return 0
    if len(data) < 4096:
        return 0
    size = struct.unpack_from("=8sQQ", data)[2]
    return sum(any(data[at : at + 8]) for at in range(4096, len(data), size))


def wait(path, records, process):
    """Until there are so many records, or the process has ended."""
    while count_records(path) < int(records) and os.path.exists(f"/proc/{process}"):
        time.sleep(0.01)


def records(path):
    print(count_records(path))


if __name__ == "__main__":
    {f.__name__: f for f in (images, same, known, classes, counts, copies, diverged, wait, records)}[sys.argv[1]](*sys.argv[2:])
