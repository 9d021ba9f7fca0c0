#!/usr/bin/env bash
# What is not the same for all ranks: memory, the output's folder, a file in it. A rank that fails alone where all of them must act
# together ends the run with one message, instead of leaving the others waiting. UNEVEN_SEED: the chance of an earlier run.
. "$(dirname "$0")/experiment.bash"
seed=${UNEVEN_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "      UNEVEN_SEED=$seed"
RANDOM=$((seed % 32768))
tool() { $python "$here/results_tool.py" "$@"; }

more="-P experiment.trials=20 -P space.dataset=one"
run $mpirun -np 2 "$program" run tiny.ini -o whole.nc $more
check "undisturbed run" test "$status" = 0

# run_differently RANKS RANK SHELL ARGUMENTS...: the program on so many ranks, one of which the shell's words prepare
cat >differently.sh <<'END'
rank=$1 shell=$2
shift 2
[ "$OMPI_COMM_WORLD_RANK" != "$rank" ] || eval "$shell"
exec "$@"
END
run_differently() { run timeout 120 $mpirun -np "$1" bash differently.sh "$2" "$3" "$program" "${@:4}"; }

# -- memory -----------------------------------------------------------------------------------------------------------
limited() { # RANK KB ARGUMENTS...: two ranks, one of which may have so much
    run_differently 2 "$1" "ulimit -v $2" run tiny.ini -o memory.nc "${@:3}"
}
if grep -q __asan_init "$program"; then
    echo "SKIP: with sanitizers memory cannot be limited"
else
    # from too little to load the program to enough
    wrong=0 refused=0 whole=0
    for i in $(seq 17); do
        rank=$((i % 2)) kb=$((i == 17 ? 4000000 : 90000 + i * 10000 + RANDOM % 10000))
        rm -f memory.*
        limited $rank $kb $more
        if failed 1 "out of memory: "; then refused=$((refused + 1))
        elif [ "$status" = 0 ] && cmp whole.nc memory.nc; then whole=$((whole + 1))
        elif ! grep -q "error while loading shared libraries" stderr; then
            echo "      WRONG: rank $rank with $kb kB: status $status"
            cat stderr
            wrong=$((wrong + 1))
        fi
    done
    check "too little memory: one message ($refused times) or the whole results ($whole)" test $wrong = 0 -a $refused -ge 3 -a $whole -ge 1
    $python "$here/tiny_space.py" big.nc 4000000
    for kb in 230000 330000 430000; do
        rm -f memory.*
        limited 1 $kb -P space.file=big.nc -P experiment.trials=1 -P experiment.predictor=random
        check "too little for the space, $kb kB" failed 1 "out of memory: " "are not to be had"
    done
    rm big.nc
fi

# -- folders and files ------------------------------------------------------------------------------------------------
apart() { # RANKS RANK MOUNT ARGUMENTS...: so many ranks, one of which sees a file system of its own
    run_differently "$1" "$2" "exec unshare -m sh -c 'mount $3 && exec \"\$@\"' sh \"\$@\"" run tiny.ini -o shared/x.nc $more "${@:4}"
}
mkdir shared
if [ "$(id -u)" = 0 ] && unshare -m mount -t tmpfs none shared 2>/dev/null; then
    for rank in 0 2; do
        apart 3 $rank "-t tmpfs none shared"
        check "a folder that is another one for rank $rank" failed 1 "shared/x.nc: its folder on $(hostname) is not the one on $(hostname)" \
            "name an output on a file system that all nodes share"
        rm -f shared/x.*
    done
    apart 2 1 "-t tmpfs none shared" -P experiment.ranks_per_trial=2
    check "that does not matter for a rank that writes nothing" cmp whole.nc shared/x.nc
    echo rubbish >rubbish
    for name in x.nc x.timing.nc; do
        rm -f shared/x.*
        cp whole.nc shared/x.nc.part
        cp whole.timing.nc shared/x.timing.nc.part
        tool unfinish shared/x.nc.part 20
        apart 3 2 "--bind rubbish shared/$name.part"
        check "a file that is another one for a rank, $name.part" failed 1 "shared/$name.part: cannot open the file" \
            "is it the same one on all nodes? (rank "
        run $mpirun -np 2 "$program" run tiny.ini -o shared/x.nc $more
        check "nothing is lost" sh -c 'grep -q "  resumed   shared/x.nc.part" stdout && cmp whole.nc shared/x.nc'
    done
else
    echo "SKIP: no file system can be mounted for one rank alone here; folders and files that differ are left out"
fi
finish
