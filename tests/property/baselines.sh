#!/usr/bin/env bash
# The methods that fill their pool by rounds: the same bytes for any number of ranks and any group size, all of N spent and not more,
# no cell trained twice.
. "$(dirname "$0")/experiment.bash"

cat >rounds.ini <<'INI'
[space]
file = tiny.nc
dataset = one
[experiment]
predictor = regularized-evolution, local-search, weaknas, brp, prednas
N = 13, 24
trials = 2
[evolution]
population = 8
sample = 3
[local_search]
initial = 4
[weaknas]
initial = 5
batch = 4
top = 8
width = 100
epochs = 30
[brp]
rounds = 3
width = 40
epochs = 5
[prednas]
initial = 6
batch = 5
steps = 10
[training]
epochs = 2, 4, 2, 1
[evaluation]
c = 12
K = 1, 5
K_max = 20
[sampling]
c = 8
INI
methods=$(sed -n 's/^predictor = //p' rounds.ini | tr ',' '\n' | wc -l)

run "$program" run rounds.ini -o one.nc
check "one process" test "$status" = 0
check "all units" said "$((4 * methods)) units in"
for ranks in 2 3; do
    run $mpirun -np $ranks "$program" run rounds.ini -o other-$ranks.nc
    check "$ranks ranks" cmp one.nc other-$ranks.nc
done
run $mpirun -np 2 "$program" run rounds.ini -o group.nc -P experiment.ranks_per_trial=2
check "2 ranks in a group" cmp one.nc group.nc
run $mpirun -np 3 "$program" run rounds.ini -o group-3.nc -P experiment.ranks_per_trial=3
check "3 ranks in a group" cmp one.nc group-3.nc

check "N trainings and no more, each of another cell, in the order of the pool" $python - <<'END_OF_CHECK'
import netCDF4
import numpy as np

f = netCDF4.Dataset("one.nc")
n = np.asarray(f["budget"][:])[None, None, :, None]
assert (f["pool_size"][:] == n).all()
assert (f["query_size"][:] <= n + 20).all() and (f["trainings"][..., -1] == f["query_size"][:]).all()
assert (f["codes"][:] == 0).all()
cell, pool = f["query_cell"][:], f["pool_cell"][:]
for m in range(cell.shape[1]):
    for b, size in enumerate(f["budget"][:]):
        for t in range(cell.shape[3]):
            paid = cell[0, m, b, t].compressed()
            assert len(set(paid)) == len(paid)
            assert np.array_equal(paid[:size], pool[0, m, b, t].compressed())
            assert np.array_equal(f["query_cost"][0, m, b, t].compressed(), np.arange(1, len(paid) + 1))
END_OF_CHECK
check "a ranking of what is known begins with the best that was trained" $python - <<'END_OF_CHECK'
import netCDF4
import numpy as np

f = netCDF4.Dataset("one.nc")
for m, method in enumerate(f["method"][:]):
    if method not in ("regularized-evolution", "local-search"):
        continue
    for b, size in enumerate(f["budget"][:]):
        for t in range(2):
            bought = f["query_accuracy"][0, m, b, t][:size]
            assert f["best"][0, m, b, t, 0] == bought.max()
            assert f["trainings"][0, m, b, t, 0] == size
END_OF_CHECK
run "$program" report one.nc --csv
check "the report names method and sampler" grep -q '^one,known,local-search,13,1,2,' stdout

# more FLOPs are better in this space
run "$program" run rounds.ini -o dear.nc -P experiment.predictor=prednas -P prednas.flops_limit=5
check "a price of FLOPs" test "$status" = 0
check "prednas chooses fewer FLOPs when they have a price" $python - <<'END_OF_CHECK'
import netCDF4
import numpy as np

def flops(path):
    f = netCDF4.Dataset(path)
    prednas = list(f["method"][:]).index("prednas")
    return np.array([np.ma.compressed(cells)[6:] for cells in f["pool_cell"][0, prednas, 0]])

value = dict(zip(*(netCDF4.Dataset("tiny.nc")[name][:].tolist() for name in ("id", "flops"))))
before, after = (np.vectorize(value.get)(flops(path)).mean() for path in ("one.nc", "dear.nc"))
assert after < before - 0.5, (before, after)
END_OF_CHECK
$python -c 'import netCDF4; netCDF4.Dataset("tiny.nc", "a").renameVariable("flops", "macs")'
run "$program" run rounds.ini -o other.nc -P experiment.predictor=prednas -P prednas.flops_limit=5
check "a limit of FLOPs that nobody knows" failed 2 "prednas.flops_limit = 5" "tiny.nc has no variable flops"
run "$program" run rounds.ini -o other.nc -P experiment.predictor=random -P prednas.flops_limit=5
check "who does not choose by FLOPs need not know them" test "$status" = 0
run "$program" run rounds.ini -o other.nc -P evolution.sample=0
check "no sample at all" failed 2 "evolution" "sample"
run "$program" run rounds.ini -o other.nc -P experiment.predictor=local-serch
check "the nearest name" failed 2 "local-serch" "the nearest is local-search"
finish
