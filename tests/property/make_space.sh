#!/usr/bin/env bash
# A user's own table becomes a space file that the program searches: jobs/make_space.py.
. "$(dirname "$0")/experiment.bash"

run $python "$root/jobs/make_space.py" "$root/inputs/cells.csv" cells.nc
check "the example" said "5 cells of at most 4 nodes"
run "$program" info cells.nc
check "is a space" said "5, of which 5 differ"
check "with its vocabulary, its unknown values and its best cell" grep -q "^  mine  *4  *1  *70 .* 91.5  0 input,conv,pool,output" stdout
check "and what is known of each cell" $python - <<'END'
import warnings

import netCDF4
import numpy as np
import xarray as xr

warnings.simplefilter("error")
space = xr.open_dataset("cells.nc")
words = space.operation.flag_meanings.split()
assert [words[i] for i in space.operation[4].values] == ["input", "pool", "output", "none"]
assert space.adjacency[0].values.tolist() == [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
assert space.adjacency[3].values.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
assert space.dataset.values.tolist() == ["mine"] and np.isnan(space.accuracy[0, 4]) and space.accuracy.units == "percent"
assert space.early_loss.shape == (5, 3) and np.isnan(space.early_loss[2, 2]) and space.early_loss[1, 1] == 1.625
assert space.flops.values.tolist() == [40, 60, 20, 30, 10]
END

# a larger table, searched
$python - >mine.csv <<'END'
import random

print("id,operations,adjacency,accuracy_a,accuracy_b,loss_1,loss_2,loss_3")
chance = random.Random(1)
for cell in range(120):
    inner = [chance.choice(["conv", "pool", "skip"]) for _ in range(chance.choice([2, 3]))]
    rows = ["".join("1" if j == i + 1 else "0" for j in range(len(inner) + 2)) for i in range(len(inner) + 2)]
    a = 60 + 8 * inner.count("conv") + chance.random()
    losses = ",".join(f"{3 - a / 40 - 0.2 * e:.4f}" for e in range(3))
    print(f"{7 + cell},input {' '.join(inner)} output,{' '.join(rows)},{a:.3f},{a / 2:.3f},{losses}")
END
run $python "$root/jobs/make_space.py" mine.csv mine.nc
check "a larger one" said "120 cells of at most 5 nodes"
run "$program" run tiny.ini -P space.file=mine.nc -P space.dataset=a,b -P experiment.trials=2 -o mine-results.nc
check "is searched" test "$status" = 0
run "$program" report mine-results.nc -k 20
check "on both of its data sets" test "$(grep -c '^[ab]  *siamese' stdout)" = 8

run $python "$root/jobs/make_space.py" mine.csv
check "no output" grep -q "make_space.py TABLE.csv SPACE.nc" stderr
sed '1s/adjacency/matrix/' mine.csv >bad.csv
run $python "$root/jobs/make_space.py" bad.csv bad.nc
check "a missing column is named" grep -q "^bad.csv: no column adjacency; it has id, operations, matrix" stderr
sed '5s/,[01]* /,/' mine.csv >bad.csv
run $python "$root/jobs/make_space.py" bad.csv bad.nc
check "and a wrong line" grep -q "^bad.csv:5: adjacency '.*' is not [45] rows" stderr
check "nothing is written then" no_file bad.nc
finish
