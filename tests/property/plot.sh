#!/usr/bin/env bash
# Figures: jobs/plot.py draws all that files allow, without warnings, the same bytes again; what it draws is what the files hold.
. "$(dirname "$0")/experiment.bash"
needs matplotlib
plot() { run $python -W error::UserWarning -W error::RuntimeWarning "$root/jobs/plot.py" "$@"; }

for part in 1 2; do
    run "$program" run tiny.ini -o part-$part.nc -P space.dataset=one -P experiment.trials=2 -P experiment.first_trial=$((2 * part - 1))
done
run "$program" run tiny.ini -o other.nc -P space.dataset=one -P experiment.trials=2 -P experiment.predictor=siamese+bts -P experiment.N=16
run "$program" analyse tiny.nc --bootstrap 5 -k 5
cat >scaling.cdl <<'END'
netcdf scaling {
dimensions: scaling = 2; ranks = 2;
variables: string scaling(scaling); int ranks(ranks); int units(scaling, ranks); double speedup(scaling, ranks); double efficiency(scaling, ranks);
    :title = "Scaling of tiny.ini";
data: scaling = "strong", "weak"; ranks = 1, 2; units = 8, 8, 4, 8; speedup = 1, 1.9, 1, 1.95; efficiency = 1, 0.95, 1, 0.975;
}
END
ncgen -4 -o scaling.nc scaling.cdl

plot part-*.nc tiny.nc tiny.analysis.nc scaling.nc -o all
check "all figures, without warnings" test "$status" = 0
for name in part.{accuracy,regret,learning}-one tiny.{flops,code,epochs}-{one,two} scaling.scaling; do
    check "$name" test -s "all/$name.pdf" -a -s "all/$name.png"
done
check "captions name job, trials, seed and band" grep -q "^\*\*part.accuracy-one.pdf.* Job part, made-up chains, [0-9,]* cells; 4 trials with seed 1; bands: plus and minus one standard deviation" all/captions.md
check "every figure has a caption" test "$(grep -c '^\*\*' all/captions.md)" = "$(ls all/*.pdf all/*.table1.md | wc -l)"
plot part-*.nc scaling.nc -o again --only accuracy,scaling
check "the same results give the same bytes" cmp all/part.accuracy-one.pdf again/part.accuracy-one.pdf
check "only what was asked for" test "$(cd again && echo *.png)" = "part.accuracy-one.png scaling.scaling.png"
plot part-1.nc other.nc --join both --only regret -o joined --formats png
check "methods of several jobs in one figure" test -s joined/both.regret-one.png -a ! -e joined/other.regret-one.png

run "$program" run tiny.ini -o table.nc -P space.dataset=one -P experiment.predictor=siamese+bts,siamese+fts -P experiment.N=16
plot table.nc --only table1,topk -o table
check "one N: K grows" test -s table/table.topk-one.pdf
check "Table 1" grep -q "^| one  *| siamese+fts *| 16 *| [0-9.]* ± " table/table.table1.md

check "regret by definition" $python - "$root/jobs" <<'END'
import sys

sys.path.insert(0, sys.argv[1])
import numpy as np
import xarray as xr

import plot_results

random = np.random.RandomState(1)
for _ in range(50):
    label = random.randint(0, 6, 12).astype(float)
    accuracy = random.uniform(0, 100, 12)
    found = plot_results.incumbent(accuracy, label)
    assert all(found[i] == accuracy[np.argmax(label[: i + 1])] for i in range(12))

data = xr.open_dataset("part-1.nc")
job = plot_results.Job("part", data)
for method in map(str, data.method.values):
    grid = np.arange(1, 20)
    curves = plot_results.regret_curves(job, "one", method, 16, grid)
    r = data.sel({"dataset": "one", "method": method, "budget": 16})
    for t in range(2):
        size = int(r.query_size[t])
        cost, accuracy = r.query_cost.values[t, :size], r.query_accuracy.values[t, :size]
        for paid, regret in zip(grid, curves[t]):
            so_far = accuracy[cost <= paid]  # labels are accuracies here
            assert np.isnan(regret) if so_far.size == 0 else abs(regret - (float(r.oracle) - so_far.max())) < 1e-9
assert job.ks() == [1, 5, 10]
END

plot tiny.ini
check "a file of another kind" grep -q "^plot.py: tiny.ini: cannot be read" stderr
plot part-1.nc -k 21 -o no
check "K beyond the curves" grep -q "K = 21 was asked for, but its curves end at K = 20" stderr
plot part-1.nc --only figure5 -o no
check "a figure that is not there" grep -q "unknown figure 'figure5'; known are accuracy" stderr
plot scaling.nc --only regret -o no
check "nothing to draw" grep -q "nothing to draw of regret" stderr
finish
