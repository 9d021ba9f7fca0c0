#!/usr/bin/env bash
# What `analyse` says of tables: numbers against the same by numpy and xarray, the same bytes for any number of ranks, bad input.
. "$(dirname "$0")/experiment.bash"

cp "$root/inputs/nas-bench-201-digits.nc" digits.nc
run "$program" analyse digits.nc --bootstrap 3
check "a table" test "$status" = 0
cp digits.analysis.nc one.nc
cp stdout one.txt
for ranks in 2 3 7; do
    rm -f digits.analysis.nc
    run $mpirun -np $ranks "$program" analyse digits.nc --bootstrap 3
    check "the same bytes on $ranks ranks" cmp one.nc digits.analysis.nc
    check "and the same tables" diff <(sed '$d' one.txt) <(sed '$d' stdout)
done
check "5,260 networks" grep -q "15625 cells are 5260 networks" one.txt
check "seven groups of FLOPs" test "$(grep -c '^digits  *[1-7]  .*-.*|' one.txt)" = 7

cat >compare.py <<'END'
"""compare.py SPACE.nc ANALYSIS.nc: does the analysis say what the table holds? xarray must open both without a warning."""
import sys
import warnings

import netCDF4  # before warnings count: numpy's versions are its own business
import numpy as np
import xarray as xr

warnings.simplefilter("error")
space, found = (xr.open_dataset(p) for p in sys.argv[1:])


def ranks(x):
    _, value, count = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[value]


def known(x, y):
    both = np.isfinite(x) & np.isfinite(y)
    return x[both], y[both]


def series(name):
    dataset = name.split(":")
    return space.validation_accuracy.sel(dataset=dataset[1]).values if len(dataset) > 1 else space[name].values


losses = space.early_loss.values
for d in found.dataset.values:
    truth = space.accuracy.sel(dataset=d).values
    pairs = [(found.sel(dataset=d, signal=s), "", series(s)) for s in found.signal.values]
    for e in found.epoch.values:
        pairs.append((found.sel(dataset=d, epoch=e), "loss_", losses[:, e - 1]))
        pairs.append((found.sel(dataset=d, epoch=e), "mean_loss_", losses[:, :e].mean(axis=1)))
    for at, prefix, values in pairs:
        x, y = known(values, truth)
        assert at[prefix + "cells"] == len(x)
        if len(set(x)) < 2:
            assert np.isnan(at[prefix + "rho"])
            continue
        rho = np.corrcoef(ranks(x), ranks(y))[0, 1]
        assert abs(rho - at[prefix + "rho"]) < 1e-10, (d, prefix, rho)
        assert at[prefix + "direction"] == np.sign(rho)
        low, high = at[prefix + "rho_interval"].sel(bound="low"), at[prefix + "rho_interval"].sel(bound="high")
        assert low <= high and abs(low - rho) < 0.1 + 1 / len(x) ** 0.5 and abs(high - rho) < 0.1 + 1 / len(x) ** 0.5
        for k in found.k.values:
            if len(set(x)) < len(x) or len(set(y)) < len(y):
                continue  # ties: tested in the unit test
            first = set(np.argsort(-x * np.sign(rho))[:k]), set(np.argsort(-y)[:k])
            assert abs(at[prefix + "precision"].sel(k=k) - len(first[0] & first[1]) / k) < 1e-12
    for g in found.group.values:
        group = found.sel(dataset=d, group=g)
        inside = (space.flops.values >= group.group_low.values) & (space.flops.values <= group.group_high.values)
        assert inside.sum() == group.group_cells and abs(truth[inside].mean() - group.group_mean) < 1e-9
        assert truth[inside].max() == group.group_best
        assert (truth[space.id.values == group.group_best_cell.item()] == group.group_best.item()).all()
codes = losses[np.isfinite(losses).all(axis=1)]
for e in found.epoch.values:
    _, count = np.unique(codes[:, :e], axis=0, return_counts=True)
    at = found.sel(epoch=e)
    assert (at.codes.item(), at.code_sharing.item(), at.code_largest.item()) == (len(count), count[count > 1].sum(), count.max())
size = found.network_cells.values
assert np.array_equal(np.bincount(found.network.values.astype(int))[found.network.values.astype(int)], size)
for name, v in found.variables.items():
    assert "long_name" in v.attrs, name
    assert v.dtype.kind not in "fi" or "units" in v.attrs or name in ("id", "group_best_cell", "network", "flops_group"), name
END
check "the numbers by xarray and numpy" $python compare.py digits.nc one.nc

# a table of another kind: unknown operations, missing losses, no id order
run "$program" analyse tiny.nc -o tiny-analysis.nc --bootstrap 0 -k 5
check "made-up chains, without intervals" test "$status" = 0
check "nobody knows what they compute" said "Cells that compute the same: not known"
check "no brackets" test -z "$(grep '\[' stdout)"
run ncdump -h tiny-analysis.nc
check "ncdump shows named dimensions" said "precision(dataset, signal, k)"

run "$program" analyse
check "no file" failed 2 "which space file?"
run "$program" analyse nowhere.nc
check "a file that is not there" failed 2 "nowhere.nc"
run $mpirun -np 2 "$program" analyse tiny.nc -o tiny.nc
check "the table would be lost" failed 2 "tiny.nc"
run $mpirun -np 2 "$program" analyse tiny.nc -k 100000
check "k beyond the cells" failed 2 "-k 100000" "tiny.nc"
for bad in "--bootstrap many" "--bootstrap -1" "--gap 0" "--seed x" "-k none"; do
    run "$program" analyse tiny.nc $bad
    check "$bad" failed 2 "${bad#* }"
done
run "$program" generate nas-bench-201:3 -o bare.nc
run $mpirun -np 2 "$program" analyse bare.nc
check "no accuracies" failed 2 "bare.nc: no accuracy is known"
run "$program" analyse digits.nc -o /nowhere/x.nc --bootstrap 0
check "a folder that is not there" failed 1 "/nowhere/x.nc"
finish
