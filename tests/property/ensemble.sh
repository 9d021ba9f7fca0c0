#!/usr/bin/env bash
# Ensembles and the samplers that ask them: the same bytes for any number of ranks and any group size; options that go together or not.
. "$(dirname "$0")/experiment.bash"

sed -i 's/^predictor = .*/predictor = siamese+ei, naive+ts, siamese+nsam+ucb, siamese+nsam+bts/; s/^dataset = .*/dataset = one/' tiny.ini
sed -i 's/^trials = .*/trials = 2/; s/^N = .*/N = 16/' tiny.ini
{ cat tiny.ini; printf '[acquisition]\nbatch = 3\ncodes = 4\nepochs = 3\n'; } >many.ini
for option in ensemble=3 "ensemble=3 -P training.loss=rank -P training.prune=yes" "ensemble=2 -P training.targets=standardised"; do
    rm -f ./*.nc.* one.nc
    run "$program" run many.ini -o one.nc -P training.$option
    check "one rank, $option" test "$status" = 0
    for ranks in 2 3; do
        for size in 1 2 3; do
            [ $size -le $ranks ] || continue
            rm -f other.nc*
            run $mpirun -np $ranks "$program" run many.ini -o other.nc -P experiment.ranks_per_trial=$size -P training.$option
            check "$ranks ranks in groups of $size, $option" cmp one.nc other.nc
        done
    done
done

run "$program" run many.ini -o no.nc
check "one network is not asked" failed 2 "many.ini" "training.ensemble = 1: siamese+ei asks how sure"
run "$program" run tiny.ini -o no.nc -P experiment.predictor=siamese -P training.loss=rank -P training.targets=standardised
check "targets that change nothing" failed 2 "training.targets = standardised" "leave this out"
run "$program" fit tiny.ini -o no.nc -P experiment.predictor=siamese -P training.ensemble=2
check "no file of weights for an ensemble" failed 2 "training.ensemble = 2" "holds one network"
check "nothing is left behind" no_file no.nc no.nc.lock

# weights of a pruning, linear network
run "$program" fit tiny.ini -o weights.nc -P experiment.predictor=naive -P training.targets=standardised -P training.prune=yes
check "a linear network has a file" test "$status" = 0
run "$program" run tiny.ini -o trial.nc -P experiment.predictor=naive -P experiment.trials=1 -P training.targets=standardised -P training.prune=yes
run "$program" predict --weights weights.nc tiny.nc -o scores.nc --top 20
check "and scores cells as its trial did" $python - <<'END'
import netCDF4
import numpy as np

with netCDF4.Dataset("trial.nc") as a, netCDF4.Dataset("scores.nc") as b:
    trial, scores = a["chosen_score"][:].squeeze(), b["basic"][:]
    assert trial.size == 20 and (np.asarray(trial, "f4") == np.asarray(scores, "f4")).all()
END
finish
