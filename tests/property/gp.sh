#!/usr/bin/env bash
# The Gaussian process and what asks it: the same bytes for any number of ranks, no cell paid for twice, what a trial may cost.
. "$(dirname "$0")/experiment.bash"

sed 's/^predictor = .*/predictor = gp, gp-paths, gp+ei, gp-paths+ei, gp+ts, gp-paths+ucb/; s/^trials = .*/trials = 2/' tiny.ini >gp.ini
cat >>gp.ini <<END
[acquisition]
initial = 4
design_pool = 12
batch = 3
codes = 5
END
run "$program" run gp.ini -o one.nc
check "one rank" test "$status" = 0
for ranks in 2 3; do
    run $mpirun -np $ranks "$program" run gp.ini -o $ranks.nc
    check "$ranks ranks: the same bytes" cmp one.nc $ranks.nc
    run $mpirun -np $ranks "$program" run gp.ini -o group-$ranks.nc -P experiment.ranks_per_trial=$ranks
    check "a group of $ranks: the same bytes" cmp one.nc group-$ranks.nc
done
check "N cells are trained, none twice, and codes are what rounds and designs buy" $python - <<'END'
import netCDF4
import numpy as np
nc = netCDF4.Dataset("one.nc")
methods, N = list(nc["method"][:]), nc["budget"][:]
cell, cost = nc["query_cell"][:], np.ma.filled(nc["query_cost"][:], np.nan)
for m, name in enumerate(methods):
    for b, n in enumerate(N):
        assert (nc["pool_size"][:, m, b] == n).all()
        rounds = -(-(n - 4) // 3)
        most = 0 if "paths" in name else n + 12 if name == "gp" else n + 12 + rounds * 5 + 12
        codes = nc["codes"][:, m, b]
        assert (codes <= most).all() and ((codes > 0) == ("paths" not in name)).all()
        for one in cell[:, m, b].reshape(-1, cell.shape[-1]):
            assert len(set(one.compressed())) == len(one.compressed())
        score = np.ma.filled(nc["pool_score"][:, m, b], np.nan)
        assert np.isnan(score[..., :4]).all() # nobody thought anything of the design
        if "+" in name:
            assert np.isfinite(score[..., 4:n]).all()
assert (np.diff(cost, axis=-1)[np.isfinite(np.diff(cost, axis=-1))] >= 1 - 1e-9).all()
END

# designs, and what goes with what
for design in random spread code; do
    run "$program" run gp.ini -o design-$design.nc -P acquisition.design=$design -P experiment.predictor=gp+ei
    check "design = $design" test "$status" = 0
done
check "designs differ" $python -c '
import netCDF4
first = [str(netCDF4.Dataset("design-%s.nc" % d)["pool_cell"][..., :4]) for d in ("random", "spread", "code")]
assert len(set(first)) == 3'
run "$program" run gp.ini -o x.nc -P acquisition.design=best
check "an unknown design" failed 2 "acquisition.design" "random"
run "$program" fit gp.ini -o weights.nc
check "fit has nothing to keep" failed 2 "gp" "no weights"

# matrices that the ranks of a trial share: the same cells, in other last digits
few="-P experiment.predictor=gp+ei -P experiment.trials=1 -P experiment.N=10 -P space.dataset=one"
run "$program" run gp.ini -o own.nc $few
run $mpirun -np 2 "$program" run gp.ini -o shared.nc $few -P experiment.ranks_per_trial=2 -P gp.together_from=4
check "two ranks share the matrices" test "$status" = 0
check "and find what one finds" $python -c '
import netCDF4, numpy as np
own, shared = netCDF4.Dataset("own.nc"), netCDF4.Dataset("shared.nc")
assert (own["pool_cell"][:] == shared["pool_cell"][:]).all()
assert np.allclose(own["tau"][:], shared["tau"][:], atol=1e-3) and np.allclose(own["chosen_score"][:], shared["chosen_score"][:], atol=1e-5)'

# a space without codes
$python - <<'END'
import netCDF4
source, target = netCDF4.Dataset("tiny.nc"), netCDF4.Dataset("bare.nc", "w")
for name, d in source.dimensions.items():
    target.createDimension(name, len(d))
for name, v in source.variables.items():
    if name == "early_loss":
        continue
    copy = target.createVariable(name, v.dtype, v.dimensions)
    copy.setncatts({k: v.getncattr(k) for k in v.ncattrs() if k != "_FillValue"})
    copy[:] = v[:]
target.close()
END
run "$program" run gp.ini -o bare-paths.nc -P space.file=bare.nc -P experiment.predictor=gp-paths+ei
check "gp-paths needs no codes" test "$status" = 0
run "$program" run gp.ini -o bare-gp.nc -P space.file=bare.nc -P experiment.predictor=gp+ei
check "gp does" failed 2 "Estimation Code"

# candidates that are measured: a batch side by side, each once
sed 's/^dataset = .*/dataset = mine/; s/^predictor = .*/predictor = gp+ei/; s/^N = .*/N = 10/; s/^trials = .*/trials = 1/' gp.ini >live.ini
printf '[candidate]\nsource = command\ncommand = %s %s/trainer.py\n' "$python -S -E" "$here" >>live.ini
export CALLS=$work/calls
run $mpirun -np 3 "$program" run live.ini -o live.nc -P experiment.ranks_per_trial=3 -P evaluation.K_max=10
check "a live search by three ranks" test "$status" = 0
check "no candidate failed" said "0 diverged, 0 failed"
check "each was asked for once" test "$(sort calls | uniq -d | wc -l)" = 0 -a "$(grep -c training calls)" -ge 10
finish
