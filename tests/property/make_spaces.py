#!/usr/bin/env python3
"""Space files as a user of xarray writes them, from the description in inputs/space.cdl.

make_spaces.py make FOLDER             good spaces, and bad ones listed in FOLDER/bad.txt with what must be said of each
make_spaces.py compare TABLE.csv FILE  is FILE what `siamese-nas import` must make of TABLE?
make_spaces.py copy FILE COPY          read by xarray, written by xarray
"""
import csv
import sys
import warnings

import netCDF4
import numpy as np
import xarray as xr


def chain(cells=40, nodes=5):
    """Cells that are chains: one adjacency for all, two data sets, some values not known."""
    rng = np.random.default_rng(1)
    operation = rng.integers(1, 4, size=(cells, nodes))
    operation[:, 0], operation[:, -1] = 0, 4
    accuracy = np.round(rng.uniform(10, 95, size=(2, cells)), 3)
    accuracy[0, 3] = 99.5  # the best one
    accuracy[1, 7] = np.nan
    return xr.Dataset(
        {
            "operation": (("cell", "node"), operation.astype("int8"),
                          {"flag_values": np.arange(5, dtype="int8"), "flag_meanings": "input conv pool none output"}),
            "adjacency": (("node", "node_to"), np.eye(nodes, k=1, dtype="int8")),
            "accuracy": (("dataset", "cell"), accuracy, {"units": "percent"}),
            "early_loss": (("cell", "code"), rng.uniform(0, 3, size=(cells, 4))),
            "flops": ("cell", np.arange(cells) * 2.5, {"units": "1e6", "long_name": "multiply-adds"}),
        },
        coords={"dataset": ["first", "second"]},
        attrs={"title": "Chains"},
    )


def per_cell(cells=30, nodes=6):
    """Each cell with an adjacency of its own out of three, labels on cells, single precision, texts for arch."""
    kinds = [np.triu(np.ones((nodes, nodes), int), 1), np.eye(nodes, k=1, dtype=int), np.eye(nodes, k=2, dtype=int)]
    return xr.Dataset(
        {
            "operation": (("cell", "node"), np.arange(cells * nodes).reshape(cells, nodes) % 3,
                          {"flag_values": np.arange(3), "flag_meanings": "a b c"}),
            "adjacency": (("cell", "node", "node_to"), np.stack([kinds[i % 3] for i in range(cells)])),
            "accuracy": ("cell", np.linspace(50, 60, cells).astype("f4")),
            "arch": ("cell", np.array([f"cell number {i}" for i in range(cells)], dtype=object)),
        },
        coords={"cell": np.arange(cells) * 10 + 5},
    )


def bad_spaces():
    """(name, what must be said, dataset, encoding)"""
    nan_is_a_value = {"_FillValue": None}

    def with_value(variable, index, value):
        space = chain()
        space[variable].values[index] = value
        return space

    cyclic = per_cell()
    cyclic["adjacency"].values[4, 5, 0] = 1
    ragged = chain().drop_vars("adjacency").assign(adjacency=(("node", "wide"), np.zeros((5, 6), "int8")))
    turned = chain().transpose("node", "cell", ...)
    short = chain().drop_vars("accuracy").assign(accuracy=(("dataset", "few"), np.ones((2, 3))))
    yield "no-operation", "no variable operation", chain().drop_vars("operation"), {}
    yield "no-adjacency", "no variable adjacency", chain().drop_vars("adjacency"), {}
    yield "no-accuracy", "no variable accuracy", chain().drop_vars("accuracy"), {}
    yield "no-dataset", "no variable dataset", chain().drop_vars("dataset"), {}
    yield "cyclic", "adjacency(cell=4).*cycle", cyclic, {}
    yield "not-square", "adjacency(node=5, wide=6)", ragged, {}
    yield "turned", "operation(node=5, cell=40)", turned, {}
    yield "few-accuracies", "accuracy(dataset=2, few=3)", short, {}
    yield "outside", "operation(cell=2, node=1) is 9", with_value("operation", (2, 1), 9), {}
    yield "negative", "accuracy(dataset=1, cell=2) is -1", with_value("accuracy", (1, 2), -1), {}
    yield "nan", "accuracy(dataset=1, cell=7) is nan", chain(), {"accuracy": nan_is_a_value}
    yield "infinite", "early_loss(cell=2, code=1) is inf", with_value("early_loss", (2, 1), np.inf), {}
    yield "packed", "scale_factor", chain(), {"flops": {"dtype": "int16", "scale_factor": 0.5, "_FillValue": -1}}
    yield "float-operation", "operation(cell=40, node=5)", chain(), {"operation": {"dtype": "f4"}}


def make(folder):
    chain().to_netcdf(f"{folder}/chain.nc")
    per_cell().to_netcdf(f"{folder}/percell.nc")
    with open(f"{folder}/bad.txt", "w") as listing:
        for name, said, space, encoding in bad_spaces():
            space.to_netcdf(f"{folder}/bad-{name}.nc", encoding=encoding)
            print(f"bad-{name}.nc", said, sep="\t", file=listing)
        # a header that claims a million million cells
        with netCDF4.Dataset(f"{folder}/bad-huge.nc", "w") as file:
            file.createDimension("cell", 10**12)
            file.createDimension("node", 10)
            file.createVariable("operation", "i1", ("cell", "node")).flag_meanings = "a b"
        print("bad-huge.nc", "more than the file can hold", sep="\t", file=listing)


def same(a, b):
    return np.array_equal(np.asarray(a, float), np.asarray(b, float), equal_nan=True)


def compare(table, path):
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    column = {name: [row[name] for row in rows] for name in rows[0]}
    number = {name: np.array([float(x) if x else np.nan for x in texts]) for name, texts in column.items() if name != "arch"}
    warnings.simplefilter("error")
    with xr.open_dataset(path) as s:
        assert list(s["dataset"].values) == ["cifar10", "cifar100", "imagenet16-120"], s["dataset"]
        for dataset, name in (("cifar10", "c10"), ("cifar100", "c100"), ("imagenet16-120", "in16")):
            assert same(s["accuracy"].sel(dataset=dataset), number[f"{name}_test200"]), dataset
        assert same(s["validation_accuracy"].sel(dataset="cifar10"), number["c10_val200"])
        assert np.isnan(s["validation_accuracy"].sel(dataset="cifar100")).all()
        for epoch in range(50):
            assert same(s["early_loss"][:, epoch], number[f"loss_ep{epoch + 1}"]), epoch
        for signal, name in (("flops", "flops_M"), ("params", "params_M"), ("synflow", "synflow_c10"), ("naswot", "naswot_c10"),
                             ("accuracy12_cifar10", "c10_test12"), ("accuracy12_cifar100", "c100_test12"),
                             ("accuracy12_imagenet16_120", "in16_test12")):
            assert same(s[signal], number[name]), signal
        assert same(s["id"], number["index"])
        assert [text.decode() if isinstance(text, bytes) else text for text in s["arch"].values] == column["arch"]
        assert s["flops"].units == "1e6" and s["accuracy"].units == "percent"
        assert s["operation"].dtype == np.int8 and s["adjacency"].sum() == 12
        assert s.attrs["Conventions"].startswith("CF-") and "siamese-nas import" in s.attrs["history"]
        words = s["operation"].flag_meanings.split()
        for row in (0, len(rows) // 2, len(rows) - 1):
            edges = [part.split("~")[0] for part in column["arch"][row].strip("|").replace("+|", "").split("|")]
            nodes = [words[i] for i in s["operation"].values[row]]
            assert [nodes[i] for i in (1, 3, 4, 6, 7, 8)] == ["zeros" if edge == "none" else edge for edge in edges], row


def copy(path, to):
    with xr.open_dataset(path) as space:
        space.to_netcdf(to)


if __name__ == "__main__":
    {"make": make, "compare": compare, "copy": copy}[sys.argv[1]](*sys.argv[2:])
