#!/usr/bin/env bash
# Networks that are trained for real, for a table and for a search, under valgrind.
. "$(dirname "$0")/memory.bash"
. "$here/training.bash"

printf "epochs = 1\nlearning_rate = 0.01\n" >>recipe.ini
sed -e 's/^file = .*/file = bare.nc/; s/^dataset = .*/dataset = bars/; s/^predictor = .*/predictor = siamese+bts/' \
    -e 's/^N = .*/N = 5/; s/^trials = .*/trials = 1/; s/^K = .*/K = 1/; s/^K_max = .*/K_max = 2/; s/^c = .*/c = 2/' tiny.ini >live.ini
printf '[candidate]\nsource = train\nrecipe = recipe.ini\n' >>live.ini

clean "a small space" 1 generate nas-bench-201:3 -o bare.nc
clean "three of its cells, 2 ranks" 2 train recipe.ini bare.nc -o some.nc --cells 0,60,124
clean "a cell on 2 ranks" 2 train recipe.ini bare.nc -o one.nc --cells 124 --ranks-per-candidate 2
clean "a search that trains, 2 ranks" 2 run live.ini -o live.nc
finish
