#!/usr/bin/env bash
# scaling.sbatch: the rows it should have, numbers that follow from each other, and the same in its NetCDF file.
. "$(dirname "$0")/cluster.bash"

export JOB=tiny.ini OPTIONS="-P space.dataset=one -P experiment.N=10" TRIALS=12 WEAK_TRIALS=5
for LAUNCH in srun mpirun; do
    export LAUNCH OUT=$LAUNCH.nc
    submit --nodes=3 --ntasks=6 slurm/scaling.sbatch
    await "$job"
    check "$LAUNCH: the job ends well" test "$state" = COMPLETED
    check "$LAUNCH: a table" test "$(awk '$1 == "strong" || $1 == "weak" {print $1, $2, $3}' stdout | xargs)" = \
        "strong 1 48 strong 2 48 strong 4 48 weak 1 20 weak 2 40 weak 4 80"
    check "$LAUNCH: the same in the file, in which speed-up and efficiency follow from seconds" $python - "$OUT" stdout <<'END'
import sys

import numpy as np
import xarray as xr

d = xr.open_dataset(sys.argv[1])
rows = [line.split() for line in open(sys.argv[2]) if line.startswith(("strong", "weak"))]
for scaling, ranks, *numbers in rows:
    cell = d.sel(scaling=scaling, ranks=int(ranks))
    for name, number in zip(("units", "seconds", "speedup", "efficiency"), numbers):
        assert float(cell[name]) == float(number), (scaling, ranks, name)
rate = d.units / d.seconds
speedup = rate / rate.sel(ranks=1)
assert d.sizes == {"scaling": 2, "ranks": 3} and (d.seconds > 0).all()
np.testing.assert_allclose(d.speedup, speedup, rtol=0.05)
np.testing.assert_allclose(d.efficiency, speedup / d.ranks, rtol=0.05)
END
    check "$LAUNCH: nothing else is left" test "$(ls -d "$LAUNCH"*)" = "$OUT"
done

OPTIONS="-P experiment.N=1000" OUT=failed.nc submit --ntasks=2 slurm/scaling.sbatch
await "$job"
check "a run that fails is shown" said "siamese-nas: error: "
check "and there is no table" test "$state" = FAILED -a ! -e failed.nc
check "nor anything else" test -z "$(ls -d failed* 2>/dev/null)"
finish
