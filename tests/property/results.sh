#!/usr/bin/env bash
# What must not be overwritten, written to, or computed: one message, the right exit status, nothing under the final name.
. "$(dirname "$0")/experiment.bash"
mounted=
clean_up() {
    [ -z "$mounted" ] || umount "$mounted"
    rm -rf "$work"
}

alone=("$program")
ranks=($mpirun -np 3 "$program")
expect() { # NAME STATUS WORDS -- ARGUMENTS...: refused, and x.nc does not appear
    local name=$1 code=$2 words=$3
    shift 4
    run "${launch[@]}" run tiny.ini -o x.nc "$@"
    check "$name" failed "$code" "$words"
    check "$name: no file" no_file x.nc x.nc.part x.timing.nc
}

launch=("${ranks[@]}")
expect "N larger than the space, three ranks" 2 "experiment.N = 65 is more than the 64 cells" -- -P experiment.N=10,65
expect "no such space, three ranks" 2 "nowhere.nc" -- -P space.file=nowhere.nc
launch=("${alone[@]}")

# sizes against the space of 64 cells
expect "N larger than the space" 2 "experiment.N = 65 is more than the 64 cells" -- -P experiment.N=10,65
expect "c larger than the space" 2 "sampling.c = 80 is more than the 64 cells" -- -P sampling.c=80
expect "c at the end larger than the space" 2 "evaluation.c = 80 is more than the 64 cells" -- -P evaluation.c=80
expect "K larger than the space" 2 "evaluation.K_max = 100 is more than the 64 cells" -- -P evaluation.K_max=100
expect "N larger than what a filter leaves" 2 "experiment.N = 16 is more than the" -- -P 'space.filter=flops<3' -P evaluation.c=4 \
    -P sampling.c=4 -P evaluation.K_max=10
expect "unknown data set" 2 "three" -- -P space.dataset=three
expect "no such space" 2 "nowhere.nc" -- -P space.file=nowhere.nc
expect "a space that is none" 2 "tiny.ini" -- -P space.file=tiny.ini

# cells without a code
$python "$here/tiny_space.py" gaps.nc 64 5
expect "missing codes" 2 "space.missing = drop" -- -P space.file=gaps.nc
check "missing codes are counted" failed 2 "5 of 64 cells" "cell 1007"
run "$program" run tiny.ini -o gaps-out.nc -P space.file=gaps.nc -P space.missing=drop
check "missing codes are dropped" said "59 of 64 cells (0 filtered out, 5 dropped"
check "the file says so" $python -c 'import netCDF4, sys
f = netCDF4.Dataset("gaps-out.nc")
ids = set(f["chosen"][:].ravel()) | set(f["pool_cell"][:].compressed())
sys.exit(f.space_cells != 59 or f.space_cells_dropped != 5 or bool(ids & set(range(1007, 1012))))'
run "$program" run tiny.ini -o basic.nc -P space.file=gaps.nc -P experiment.predictor=naive
check "a predictor without codes misses none" said "64 of 64 cells"
run "$program" run tiny.ini -o small.nc -P 'space.filter=flops<6'
check "a filter is counted" said "filtered out, 0 dropped"

# results that are there already
run "$program" run tiny.ini -o mine.nc
cp mine.nc saved.nc
run "${ranks[@]}" run tiny.ini -o mine.nc -P experiment.seed=2
check "results of a different job" failed 2 "there experiment.seed = 1, here experiment.seed = 2" "-o"
check "are not touched" cmp mine.nc saved.nc
run "${ranks[@]}" run tiny.ini -o mine.nc -P space.file=gaps.nc -P experiment.predictor=random
check "nor those of another space" failed 2 "mine.nc"
cp mine.nc part.nc.part
run "${ranks[@]}" run tiny.ini -o part.nc -P training.batch=4
check "unfinished results of a different job" failed 2 "part.nc.part" "there training.batch = 8, here training.batch = 4"
check "are not touched" cmp part.nc.part saved.nc
printf 'a letter' >letter.nc
run "${ranks[@]}" run tiny.ini -o letter.nc
check "a file that is no result" failed 2 "letter.nc" "no results file"
check "is not touched" test "$(cat letter.nc)" = "a letter"
cp tiny.nc elsewhere.nc
run "$program" run tiny.ini -o mine.nc -P space.file=elsewhere.nc
check "a space file that moved is the same space" said "complete already"

# where nothing can be written
for launch in alone ranks; do
    declare -n command=$launch
    run "${command[@]}" run tiny.ini -o no/such/x.nc
    check "no folder ($launch)" failed 1 "no/such"
    run "${command[@]}" run tiny.ini -o tiny.ini/x.nc
    check "a file in the folder's place ($launch)" failed 1 "tiny.ini"
    run "${command[@]}" run tiny.ini -o /proc/x.nc
    check "a folder that takes no files ($launch)" failed 1 "/proc"
    # above what MPI itself writes, below what these results need
    run bash -c 'ulimit -f 16384; exec "$@"' limited "${command[@]}" run tiny.ini -o limit.nc -P experiment.trials=2000
    check "a file size limit ($launch)" failed 1 "no room"
    check "leaves no file ($launch)" no_file limit.nc limit.nc.part limit.nc.part.new
done
mkdir full
if mount -t tmpfs -o size=64k none full 2>/dev/null; then
    mounted=$work/full
    run "${ranks[@]}" run tiny.ini -o full/x.nc
    check "a full disk" failed 1 "full" "no room"
    check "leaves no file" no_file full/x.nc full/x.nc.part full/x.nc.part.new
else
    echo "      (no tmpfs can be mounted here: the full disk is left out)"
fi

# dry run
run "${ranks[@]}" run tiny.ini -o dry.nc --dry-run
check "dry run" test "$status" = 0
check "prints units" said "= 48 units"
check "prints cost" said "full trainings and"
check "prints the state of the output" said "dry.nc does not exist yet"
check "writes nothing" no_file dry.nc dry.nc.part dry.timing.nc.part
run "${ranks[@]}" run tiny.ini -o mine.nc --dry-run
check "dry run of a complete job" said "complete already"
run "${ranks[@]}" run tiny.ini -o dry.nc --dry-run -P experiment.N=65
check "dry run checks the space" failed 2 "experiment.N = 65"
finish
