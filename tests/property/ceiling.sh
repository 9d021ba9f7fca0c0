#!/usr/bin/env bash
# What cells, codes and signals can explain: known ceilings, any number of ranks, interruptions, and what is refused.
. "$(dirname "$0")/check.bash"
. "$here/interrupt.bash"
needs netCDF4

# 240 cells: data set "one" is a smooth function of the signal knob, "two" of nothing; three cells know no loss
$python "$here/tiny_space.py" toy.nc 240 3 || exit 1
cat >knob.py <<'END_OF_FILE'
import netCDF4, numpy as np
with netCDF4.Dataset("toy.nc", "a") as f:
    i = np.arange(240)
    knob = i * 7919 % 1009 / 1009.0
    f.createVariable("knob", "f8", ("cell",))[:] = knob
    f["accuracy"][0] = 50 + 30 * np.sin(5 * knob)
    f["accuracy"][1] = 20 + np.random.default_rng(1).uniform(0, 50, 240)
END_OF_FILE
$python knob.py || exit 1
cat >other.py <<'END_OF_FILE'
import netCDF4, shutil
shutil.copy("toy.nc", "other.nc")
with netCDF4.Dataset("other.nc", "a") as f: f["accuracy"][1, 5] += 1
END_OF_FILE
$python other.py || exit 1
options="--codes 1,3 --signals knob,flops --sample 150 --starts 2"

for ranks in 1 2 3; do
    run $mpirun -np $ranks "$program" ceiling toy.nc $options -o ranks$ranks.nc
    check "ranks: $ranks" test "$status" = 0
done
check "the log says what was dropped" said "toy.nc: 237 of 240 cells (3 dropped as not fully known)"
check "and prints a table" grep -q '^cell+code3  *two  ' stdout
cat >compare.py <<'END_OF_FILE'
"""The same figures from 1, 2 and 3 ranks; figures that follow from the file; ceilings that are known."""
import netCDF4, numpy as np
a = netCDF4.Dataset("ranks1.nc")
for ranks in (2, 3):
    b = netCDF4.Dataset(f"ranks{ranks}.nc")
    assert set(a.variables) == set(b.variables)
    for v in ("tau", "rho", "tau_top", "rmse", "rmse_target", "length", "noise"):
        np.testing.assert_allclose(a[v][:], b[v][:], rtol=0, atol=1e-8, err_msg=v)
    for v in ("prediction", "deviation"): # kept in float32
        np.testing.assert_allclose(a[v][:], b[v][:], rtol=0, atol=1e-6, err_msg=v)
sets = list(a["feature_set"][:])
assert sets == ["cell", "code1", "code3", "cell+code1", "cell+code3", "knob", "flops"], sets
assert list(a["left_out"][:]) == ["cell", "class"] and list(a["dataset"][:]) == ["one", "two"]
p, t = a["prediction"][:], a["target"][:]
np.testing.assert_allclose(np.sqrt(((p - t) ** 2).mean(axis=-1)), a["rmse_target"][:], rtol=1e-6)
from statistics import NormalDist
for d in range(2):
    y = a["accuracy"][d].filled()
    rank = np.array([(y < v).sum() + 0.5 * ((y == v).sum() + 1) for v in y])
    np.testing.assert_allclose(t[d], [NormalDist().inv_cdf((r - 0.5) / len(y)) for r in rank], atol=1e-12)
    back = np.interp(p[:, :, d], np.sort(t[d]), np.sort(y))
    np.testing.assert_allclose(np.sqrt(((back - y) ** 2).mean(axis=-1)), a["rmse"][:, :, d], rtol=1e-6)
    sign = lambda v: np.sign(v[:, None] - v[None, :])
    best = np.argsort(-y, kind="stable")[: len(y) // 10]
    for which, name in (np.arange(len(y)), "tau"), (best, "tau_top"): # tau-a: no ties here
        expected = (sign(p[0, 0, d][which]) * sign(y[which])).sum() / len(which) / (len(which) - 1)
        assert abs(expected - a[name][0, 0, d]) < 1e-9, (name, expected)
tau = a["tau"][:]
assert (tau[sets.index("knob"), :, 0] > 0.98).all(), tau[sets.index("knob")]
assert (a["rmse"][sets.index("knob"), :, 0] < 2).all() # of 22 without it
# Nothing explains noise: targets have variance 1. tau is negative rather than 0, each cell draws the mean of the others away from itself.
assert (a["rmse_target"][:][:, :, 1] > 0.97).all() and (tau[:, :, 1] < 0.25).all(), tau[:, :, 1]
assert np.sort(a["id"][:]).tolist() == [1000 + i for i in range(240) if i not in (7, 8, 9)]
assert a["rmse"].units == "percent" and all(hasattr(a[v], "long_name") for v in a.variables)
twins = a["class"][:]
d = a["deviation"][:][sets.index("cell"), :, 0]
assert (d[1] >= d[0] * (1 - 1e-6)).all() and (d[1] > d[0] * 1.001).any() # fewer data, more doubt
END_OF_FILE
check "equal figures, known ceilings" $python compare.py
check "xarray reads it" $python -c 'import xarray; d = xarray.open_dataset("ranks1.nc"); assert float(d.tau.sel(feature_set="knob", left_out="cell", dataset="one")) > 0.98'
run "$program" ceiling toy.nc $options -o ranks1.nc
check "nothing to do: the table again" grep -q '^knob  *one  ' stdout
check "no file is left" no_file ranks1.nc.part ranks1.nc.lock

# -- interruptions
slow="--codes 3 --signals knob --sample 120 --starts 12"
until_part() { while kill -0 $job 2>/dev/null && [ ! -e "$1.part" ]; do sleep 0.01; done; }
run "$program" ceiling toy.nc $slow -o whole.nc
begin "$program" ceiling toy.nc $slow -o killed.nc
until_part killed.nc
kill -9 $job
end
check "killed in the middle" test -e killed.nc.part -a ! -e killed.nc
cp killed.nc.part begun.part
run "$program" ceiling toy.nc $slow -o killed.nc
check "it goes on" grep -q 'continues  *killed.nc.part with [1-3] of 4 sets' stdout
check "the same bytes" cmp whole.nc killed.nc
begin $mpirun -np 2 "$program" ceiling toy.nc $slow -o stopped.nc
until_part stopped.nc
kill -TERM $(children $job | tail -1)
end
check "stopped by a signal to one of two ranks" stopped "(SIGTERM): "
run "$program" ceiling toy.nc $slow -o stopped.nc
check "on one rank it goes on" test "$status" = 0 -a -e stopped.nc -a ! -e stopped.nc.part

# -- what is refused
cp begun.part x.nc.part
run "$program" ceiling other.nc $slow -o x.nc
check "the part of another space" failed 2 x.nc.part space_checksum
run $mpirun -np 3 "$program" ceiling toy.nc $slow --seed 2 -o x.nc
check "the part of other options, three ranks" failed 2 x.nc.part "there seed = 1, here seed = 2"
head -c 3000 begun.part >x.nc.part
run "$program" ceiling toy.nc $slow -o x.nc
check "a damaged part" failed 2 x.nc.part
rm x.nc.part
run "$program" ceiling toy.nc -o other.nc
check "another kind of file under the output's name" failed 2 other.nc "another kind of file"
run "$program" ceiling toy.nc -o toy.nc
check "the space itself as output" failed 2 toy.nc
"$program" generate nas-bench-201:3 -o bare.nc >/dev/null
run "$program" ceiling bare.nc
check "no accuracy" failed 2 bare.nc "no accuracies"
run $mpirun -np 2 "$program" ceiling toy.nc --signals flosp
check "an unknown signal" failed 2 flosp "nearest is flops"
run "$program" ceiling toy.nc --codes 1,9
check "epochs that are not known" failed 2 "--codes 9" "3 epochs"
run "$program" ceiling toy.nc --sample 3
check "too small a sample" failed 2 --sample 3
run "$program" ceiling absent.nc
check "no space" failed 2 absent.nc
limit='ulimit -v 1500000; exec "$@"'
if sh -c "$limit" - "$program" --version >/dev/null 2>&1; then # no sanitized program starts under it
    $python "$here/tiny_space.py" large.nc 15000
    run sh -c "$limit" - "$program" ceiling large.nc --codes none --signals none
    check "no memory for the matrix: said before it is taken" failed 1 "15000 cells" "1.80 GB" "to be had"
fi
check "no file is left" no_file x.nc large.ceiling.nc large.ceiling.nc.part large.ceiling.nc.lock toy.ceiling.nc
run "$program" ceiling --help
check "help" said "--signals LIST"
finish
