#!/usr/bin/env bash
# Files for others: xarray opens them without a warning and finds names and units; NCO takes means over the parts of a job array;
# ncdump reads well.
. "$(dirname "$0")/experiment.bash"

cp "$root/inputs/nas-bench-201-digits.nc" digits.nc
run "$program" generate nas-bench-201:3 -o made.nc
run "$program" run tiny.ini -o all.nc -P experiment.trials=4
for part in 1 2; do
    run "$program" run tiny.ini -o part-$part.nc -P experiment.trials=2 -P experiment.first_trial=$((2 * part - 1))
done
run "$program" run tiny.ini -o other.nc -P experiment.trials=4 -P experiment.predictor=siamese+bts
run "$program" analyse digits.nc --bootstrap 2 -o digits.analysis.nc
run "$program" fit tiny.ini -P experiment.predictor=siamese -P space.dataset=one -P experiment.N=10 -o weights.nc
run "$program" predict --weights weights.nc tiny.nc -o scores.nc

cat >look.py <<'END'
"""look.py FILE...: xarray opens each without a warning; every variable says what it is, every number in which units."""
import sys
import warnings

import netCDF4  # before warnings count: numpy's versions are its own business
import xarray as xr

warnings.simplefilter("error")
NUMBERS = {"id", "adjacency", "operation", "chosen", "pool_cell", "query_cell", "checksum", "complete", "group_best_cell", "network",
           "flops_group"}  # names, flags and numbers of cells have no units
for path in sys.argv[1:]:
    data = xr.open_dataset(path)
    assert data.attrs["Conventions"].startswith("CF-") and data.attrs["title"], path
    for name, v in data.variables.items():
        assert "long_name" in v.attrs, (path, name, "has no long_name")
        assert v.dtype.kind not in "iuf" or "units" in v.attrs or name in NUMBERS, (path, name, "has no units")
    bare = [d for d in data.dims if d not in data.coords and d not in ("cell", "node", "node_to", "code", "arch_length")]
    assert not bare, (path, bare, "have no coordinates")
    data.load()
END
check "xarray: space files" $python look.py digits.nc made.nc
check "xarray: results, seconds and parts" $python look.py all.nc all.timing.nc part-1.nc
check "xarray: analyses and predictions" $python look.py digits.analysis.nc scores.nc

check "xarray: parts are the whole, means, the best method, runs side by side" $python - <<'END'
import netCDF4
import numpy as np
import xarray as xr

whole, parts = xr.open_dataset("all.nc"), [xr.open_dataset(f"part-{i}.nc") for i in (1, 2)]
together = xr.concat(parts, "realization", data_vars="minimal")
assert together.drop_vars(["checksum"]).equals(whole.drop_vars(["checksum"]))
mean = whole.best.sel(k=10).mean("realization")
best = mean.idxmax("method")
for d in whole.dataset.values:
    for n in whole.budget.values:
        row = mean.sel(dataset=d, budget=n)
        assert row.sel({"method": best.sel(dataset=d, budget=n).item()}) == row.max()
both = xr.concat([whole, xr.open_dataset("other.nc")], "method", data_vars="minimal")
assert list(both.method.values) == [*whole.method.values, "siamese+bts"] and np.isfinite(both.best).all()
END

if command -v ncra >/dev/null; then
    for part in 1 2; do
        run ncpdq -O -a realization,dataset,method,budget part-$part.nc by-trial.nc
        run ncks -O --mk_rec_dmn realization by-trial.nc trials-$part.nc
    done
    run ncra -O trials-1.nc trials-2.nc mean.nc
    check "ncra over the parts" test "$status" = 0
    run ncwa -O -a realization all.nc merged-mean.nc
    check "ncwa over the whole" test "$status" = 0
    check "is the mean over all trials" $python - <<'END'
import netCDF4
import numpy as np
import xarray as xr

whole = xr.open_dataset("all.nc")
for path in ("mean.nc", "merged-mean.nc"):
    mean = xr.open_dataset(path)
    for name in ("best", "cost", "trainings", "rho", "tau"):
        expected = whole[name].mean("realization")
        found = mean[name].squeeze().transpose(*expected.dims)
        assert np.allclose(found, expected, rtol=1e-6 if name != "trainings" else 0.1), (path, name)
END
    run ncks -H -C -v budget all.nc
    check "ncks" said "budget = 10, 16 ;"
else
    echo "skip  NCO is not installed"
fi
run ncdump -h all.nc
check "ncdump: dimensions have names" said "double best(dataset, method, budget, realization, k) ;"
run ncdump -v method,budget all.nc
check "and values" said 'method = "random", "naive", "siamese+nsam+bts", "siamese+fts" ;'
finish
