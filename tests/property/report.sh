#!/usr/bin/env bash
# The report's numbers against the same computed by numpy from the results file.
. "$(dirname "$0")/experiment.bash"

run $mpirun -np 2 "$program" run tiny.ini -o all.nc -P experiment.trials=5
check "the job" test "$status" = 0
cat >compare.py <<'END'
"""compare.py REPORT.csv K...: does the CSV say what all.nc holds?"""
import csv
import sys

import netCDF4
import numpy as np

with open(sys.argv[1], newline="") as f:
    reader = csv.DictReader(f)
    rows = list(reader)
assert reader.fieldnames == "dataset,predictor,sampler,N,K,trials,mean,std,se,regret,found,cost".split(",")
nc = netCDF4.Dataset("all.nc")
assert (nc["complete"][:] == 1).all()
row = iter(rows)
for d, dataset in enumerate(nc["dataset"][:]):
    oracle = float(nc["oracle"][d])
    for m, method in enumerate(nc["method"][:]):
        for b, n in enumerate(nc["budget"][:]):
            for k in map(int, sys.argv[2:]):
                r = next(row)
                best, cost = nc["best"][d, m, b, :, k - 1], nc["cost"][d, m, b, :, k - 1]
                name = r["predictor"] + ("" if r["sampler"] == "random" else "+" + r["sampler"])
                assert (r["dataset"], name, int(r["N"]), int(r["K"]), int(r["trials"])) == (dataset, method, n, k, 5)
                std = best.std(ddof=1)
                expected = [best.mean(), std, std / 5**0.5, oracle - best.mean(), (best >= oracle).mean(), cost.mean()]
                found = [float(r[c]) for c in ("mean", "std", "se", "regret", "found", "cost")]
                assert np.allclose(found, expected, rtol=1e-8, atol=1e-9), (r, expected)
assert next(row, None) is None
END
run "$program" report all.nc --csv
cp stdout default.csv
check "CSV with the job's K" $python compare.py default.csv 1 5 10
run "$program" report all.nc --csv -k 2,20,3..5
cp stdout chosen.csv
check "CSV with other K" $python compare.py chosen.csv 2 3 4 5 20

# parts of a job array: the same numbers
run "$program" run tiny.ini -o part-1.nc -P experiment.trials=2
run "$program" run tiny.ini -o part-2.nc -P experiment.trials=3 -P experiment.first_trial=3
run "$program" report part-1.nc part-2.nc --csv
check "pooled parts give the same table" cmp stdout default.csv
run "$program" report part-2.nc part-1.nc --csv
check "in any order" cmp stdout default.csv
run "$program" report all.nc part-2.nc
check "a trial that occurs twice" failed 2 "trial 3 of one, random, N = 10" "part-2.nc" "all.nc"

run "$program" report all.nc
check "the table has a line for each row" test "$(grep -c '^one\|^two' stdout)" = "$(($(wc -l <default.csv) - 1))"
check "and says how many trials are finished" said "80 of 80 trials are finished"

# by total cost: the accuracy of the best label that the costs of the trained cells allow
run "$program" report all.nc --cost 3,8.5,20 --csv
check "a table by cost" test "$status" = 0
check "is what the costs of the trained cells say" $python - <<'END'
import csv
import netCDF4
import numpy as np
nc = netCDF4.Dataset("all.nc")
label, accuracy, cost = (np.ma.filled(nc["query_" + v][:], np.nan) for v in ("label", "accuracy", "cost"))
rows = list(csv.DictReader(open("stdout")))
assert len(rows) == 2 * 4 * 2 * 3
for r in rows:
    d, b = list(nc["dataset"][:]).index(r["dataset"]), list(nc["budget"][:]).index(int(r["N"]))
    m = [i for i in range(4) if nc["predictor"][i] == r["predictor"] and nc["sampler"][i] == r["sampler"]][0]
    best = []
    for t in range(cost.shape[3]):
        known = np.flatnonzero(cost[d, m, b, t] <= float(r["limit"]))
        best.append(accuracy[d, m, b, t][known[np.argmax(label[d, m, b, t][known])]])
    assert abs(np.mean(best) - float(r["mean"])) < 1e-6
END
run "$program" report all.nc --cost 8,3
check "costs that do not ascend" failed 2 "--cost '8,3'" "ascend"
run "$program" report all.nc --cost 8 -k 3
check "costs and K" failed 2 "--cost" "without -k"

# the results hold together
check "best is the running maximum, costs add up" $python - <<'END'
import netCDF4
import numpy as np

nc = netCDF4.Dataset("all.nc")
best, accuracy = nc["best"][:], nc["chosen_accuracy"][:]
assert np.array_equal(best, np.maximum.accumulate(accuracy, axis=-1))
assert np.allclose(nc["cost"][:], nc["trainings"][:] + 0.003 * nc["codes"][:][..., None])
space = netCDF4.Dataset("tiny.nc")
truth = np.asarray(space["accuracy"][:])
for d in range(2):
    assert np.allclose(truth[d][nc["chosen"][d] - 1000], accuracy[d])
    assert abs(nc["oracle"][d] - truth[d].max()) < 1e-9
cell, at = nc["query_cell"][:], nc["query_accuracy"][:]
for d in range(2): # all trained cells, each once, at its time
    assert np.allclose(truth[d][cell[d].compressed() - 1000], at[d].compressed())
assert (cell.count(axis=-1) == nc["query_size"][:]).all() and (nc["query_size"][:] == nc["trainings"][..., -1]).all()
paid = np.ma.filled(nc["query_cost"][:], np.nan)
assert (np.nan_to_num(np.diff(paid, axis=-1), nan=1) >= 1 - 1e-9).all()
assert (np.nanmax(paid, axis=-1) <= nc["cost"][..., -1] + 1e-9).all()
for one in cell.reshape(-1, cell.shape[-1]):
    assert len(set(one.compressed())) == len(one.compressed())
pool = nc["pool_cell"][:]
assert (np.isfinite(nc["pool_score"][:]).filled(False) <= ~np.ma.getmaskarray(pool)).all()
places = np.sort(np.asarray(nc["chosen_place"][:]), axis=-1)
assert (places[:, :2] == np.arange(1, 21)).all() and (nc["chosen_place"][:, 2:, ..., :12] <= 12).all()
assert np.array_equal(pool.count(axis=-1), nc["pool_size"][:])
assert (nc["budget"][:][None, None, :, None] - 1 == nc["pool_size"][:])[:, 1:].all()
assert (nc["trainings"][..., -1] <= nc["budget"][:][None, None, :, None] + 20).all()
assert (nc["codes"][:, :2] == 0).all() and (nc["codes"][:, 2:] > 0).all()
END

for bad in tiny.nc all.timing.nc tiny.ini nowhere.nc; do
    run "$program" report "$bad"
    check "$bad is no results file" failed 2 "$bad"
done
head -c 2000 all.nc >short.nc
run "$program" report short.nc
check "a file cut short" failed 2 "short.nc"
run "$program" report all.nc -k 21
check "K beyond the curves" failed 2 "K = 21" "K = 20"
run "$program" report all.nc -k many
check "K that is no number" failed 2 "many"
run "$program" report
check "no file" failed 2 "which results files"
finish
