#!/usr/bin/env bash
# report --trial: what it tells of a trial is what the results file holds, for every method; drawings for Graphviz; bad input.
. "$(dirname "$0")/experiment.bash"

run $mpirun -np 2 "$program" run tiny.ini -o all.nc -P experiment.trials=2
check "the job" test "$status" = 0
cat >compare.py <<'END'
"""compare.py DATASET METHOD N TRIAL K <TEXT: does the text say what all.nc holds?"""
import re
import sys

import netCDF4
import numpy as np

dataset, method, n, trial, k = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
nc = netCDF4.Dataset("all.nc")
at = (list(nc["dataset"][:]).index(dataset), list(nc["method"][:]).index(method), list(nc["budget"][:]).index(n), trial - 1)
values = {name: np.ma.filled(nc[name][at].astype(float), np.nan) for name in nc.variables if nc[name].ndim >= 4}
text = sys.stdin.read()
assert f"trial {trial} of {method} on {dataset}, N = {n}" in text, text
number = r"(-?[0-9.]+|-)"
queries = [m.groups() for m in re.finditer(rf"^ +(\d+) +{number} +(\d+) +{number} +{number} +{number}([* ]) (\w.*)$", text, re.M)
           if "known" not in m.group(8)]
pool = {int(c): s for c, s in zip(values["pool_cell"], values["pool_score"]) if np.isfinite(c)}
best = -1
for i, (place, cost, cell, accuracy, expected, so_far, star, how) in enumerate(queries):
    assert int(place) == i + 1 and int(cell) == values["query_cell"][i]
    assert abs(float(cost) - values["query_cost"][i]) < 0.006 and abs(float(accuracy) - values["query_accuracy"][i]) < 0.0006
    assert (star == "*") == (values["query_label"][i] > best)
    best = max(best, values["query_label"][i])
    assert abs(float(so_far) - best) < 0.0006
    score = pool.get(int(cell), None)
    assert how == ("looked at to choose the weights" if score is None else "drawn" if np.isnan(score) else "chosen by the predictor")
    assert expected == "-" if score is None or np.isnan(score) else abs(float(expected) - 100 * score) < 0.0006
rest = [c for c in values["chosen"] if c not in values["query_cell"][: len(queries)]]
size = int(values["query_size"])
assert list(values["query_cell"][len(queries) : size]) == rest, "the cells chosen at the end are paid last"
said = f"{len(queries)} cells were trained for the predictor and {len(rest)} of its first 20" if queries else "20 cells were trained, all of them"
assert said in text, said
ranked = re.findall(rf"^ +(\d+) +{number} +(\d+) +{number} +{number} +{number}(?:[* ]?| .*|[*] .*)$", text[text.index("of its ranking") :], re.M)
assert len(ranked) == k, ranked
for i, (rank, before, cell, accuracy, expected, so_far) in enumerate(ranked):
    assert int(rank) == i + 1 and int(cell) == values["chosen"][i] and (before == "-") == np.isnan(values["chosen_place"][i])
    assert before == "-" or int(before) == values["chosen_place"][i]
    assert abs(float(accuracy) - values["chosen_accuracy"][i]) < 0.0006 and abs(float(so_far) - values["best"][i]) < 0.0006
winner = int(np.argmax(values["chosen_accuracy"][:k]))
assert re.search(rf"Best of the first {k}: cell {int(values['chosen'][winner])} in.*, accuracy {values['chosen_accuracy'][winner]:.3f}", text), text
assert f"rank {winner + 1}" in text
END
for dataset in one two; do
    for method in random naive siamese+nsam+bts siamese+fts; do
        run "$program" report --trial 2 all.nc --dataset $dataset --method $method -n 10 -k 7 --all
        check "$method on $dataset" $python compare.py $dataset $method 10 2 7 <stdout
    done
done
run "$program" report --trial 1 all.nc
check "by itself: the first data set, the last method, the largest N and K" grep -q "^all.nc: trial 1 of siamese+fts on one, N = 16" stdout
check "draws at random are one line" grep -q "^ *1 - *[0-9]* .* mean .*[*] [0-9]* drawn, the best: cell" stdout
run "$program" report --trial 2 all.nc --method siamese+nsam+bts
check "and what brought nothing new" $python - <<'END'
import re

import netCDF4
import numpy as np

nc, text = netCDF4.Dataset("all.nc"), open("stdout").read()
at = (0, list(nc["method"][:]).index("siamese+nsam+bts"), 1, 1)
accuracy, cost = nc["query_accuracy"][at], nc["query_cost"][at]
lines = re.findall(r"^ *(\d+) - +(\d+) +([0-9.]+) +mean +([0-9.]+) ", text, re.M)
assert lines
for first, last, paid, mean in lines:
    assert abs(accuracy[int(first) - 1 : int(last)].mean() - float(mean)) < 0.0006
    assert abs(cost[int(last) - 1] - float(paid)) < 0.006
END

run "$program" report --trial 1 all.nc --dot cell.dot
check "a drawing" grep -q "^digraph cell" cell.dot
check "with an edge for each of the chain's" test "$(grep -c -- '->' cell.dot)" = 4
if command -v dot >/dev/null; then check "Graphviz draws it" dot -Tsvg cell.dot -o cell.svg; fi
cp "$root/inputs/nas-bench-201-digits.nc" digits.nc
run "$program" run "$root/jobs/quick.ini" -P space.file=digits.nc -P experiment.predictor=random -P experiment.trials=1 -o digits-results.nc
run "$program" report --trial 1 digits-results.nc --dot cell.dot
check "NAS-Bench-201 has its operations on the edges" test "$(grep -c -- '-> .*label="[a-z_0-9]*"' cell.dot)" = 6
check "and arch strings" grep -q "^Best of the first 30: cell [0-9]* |.*|, accuracy" stdout

mv tiny.nc moved.nc
run "$program" report --trial 1 all.nc
check "without the space, cells are numbers" grep -q "Best of the first 10: cell [0-9]*, accuracy" stdout
run "$program" report --trial 1 all.nc --dot cell.dot
check "a drawing needs it" failed 2 "tiny.nc"
run "$program" report --trial 1 all.nc --space digits.nc
check "another space" failed 2 "digits.nc: is not the space" "all.nc"
run "$program" report --trial 1 all.nc --space moved.nc --dot cell.dot
check "the space by another name" test "$status" = 0
run "$program" report --trial 3 all.nc
check "a trial that is not there" failed 2 "no trial 3; it has trials 1 to 2"
run "$program" report --trial 1 all.nc --method naive+bts
check "a method that is not there" failed 2 "no method naive+bts; it has random, naive, siamese+nsam+bts, siamese+fts"
run "$program" report --trial 1 all.nc --dataset three
check "a data set that is not there" failed 2 "no data set three; it has one, two"
run "$program" report --trial 1 all.nc -n 11
check "an N that is not there" failed 2 "no N = 11"
run "$program" report --trial 1 all.nc -k 21
check "a K beyond the curves" failed 2 "K = 21"
run "$program" report --trial one all.nc
check "a trial that is no number" failed 2 "--trial 'one'"
run "$program" report all.nc --method naive
check "which belongs to --trial" failed 2 "belong to --trial"
run "$program" report --trial 1 all.nc digits-results.nc
check "two files" failed 2 "one results file"
finish
