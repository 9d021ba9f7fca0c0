#!/usr/bin/env python3
"""A table of your own becomes a space file: make_space.py TABLE.csv SPACE.nc. Needs python3-xarray and python3-netcdf4.

One line a cell, columns in any order (inputs/cells.csv is an example):
  operations     the operation of each node, separated by blanks: "input conv pool output"
  adjacency      a row of 0 and 1 for each node, 1 where its output goes: "0110 0001 0001 0000"
  accuracy_NAME  accuracy on data set NAME after full training, in percent; one column a data set
  loss_1, loss_2, ...  optional: training losses after the first epochs, the Estimation Code
  id, and any other column of numbers: the cell's number, and signals such as flops or synflow
Empty fields are values that are not known. Cells with fewer nodes than others are padded with the operation `none`.
"""
import sys

try:
    import numpy as np
    import pandas as pd
    import xarray as xr
except ImportError as error:
    sys.exit(f"{sys.argv[0]}: {error}; needs python3-xarray and python3-netcdf4 for {sys.executable}: make deps, or pip")


def make(table):
    """The ten lines."""
    cells, rows = table.operations.str.split(), table.adjacency.str.split()
    words, v = sorted({word for cell in cells for word in cell} | {"none"}), cells.str.len().max()
    number = [[words.index(word) for word in cell + ["none"] * (v - len(cell))] for cell in cells]
    edge = [[[int(bit) for bit in row.ljust(v, "0")] for row in cell + ["0" * v] * (v - len(cell))] for cell in rows]
    known = {p: [c for c in table if c.startswith(p)] for p in ("accuracy_", "loss_")}
    vocabulary = {"flag_values": np.arange(len(words), dtype="i2"), "flag_meanings": " ".join(words)}
    space = xr.Dataset({"operation": (("cell", "node"), np.int16(number), vocabulary), "adjacency": (("cell", "node", "node_to"), np.int8(edge))})
    space["accuracy"] = ("dataset", "cell"), table[known["accuracy_"]].values.T.astype(float), {"units": "percent"}
    space["early_loss"] = ("cell", "code"), table[known["loss_"]].values.astype(float), {"units": "1"}
    signals = {c: ("cell", x) for c, x in table.drop(columns=sum(known.values(), [])).select_dtypes("number").items()}
    return space.assign(signals).assign_coords(dataset=[c[len("accuracy_"):] for c in known["accuracy_"]])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    table = pd.read_csv(sys.argv[1], dtype={"operations": str, "adjacency": str})
    for column in ("operations", "adjacency", "accuracy_"):
        if not any(name.startswith(column) for name in table):
            sys.exit(f"{sys.argv[1]}: no column {column}{'NAME' if column.endswith('_') else ''}; it has {', '.join(table)}")
    for line, cell in enumerate(table.itertuples(), 2):
        size = len(str(cell.operations).split())
        if [len(row) for row in str(cell.adjacency).split()] != [size] * size or set(str(cell.adjacency)) - set("01 "):
            sys.exit(f"{sys.argv[1]}:{line}: adjacency '{cell.adjacency}' is not {size} rows of {size} digits 0 and 1, one for each operation")
    space = make(table)
    if not space.code.size:
        space = space.drop_vars("early_loss")
    space.assign_attrs(Conventions="CF-1.10", title=f"made from {sys.argv[1]}").to_netcdf(sys.argv[2])
    print(f"{sys.argv[2]}: {space.sizes['cell']} cells of at most {space.sizes['node']} nodes; siamese-nas info {sys.argv[2]} shows it")


if __name__ == "__main__":
    main()
