#!/usr/bin/env bash
# Parts of a job with different trials become, merged, the bytes of the undivided job; what does not belong together, is
# unfinished, missing or there twice is refused with one message, and nothing is written.
. "$(dirname "$0")/experiment.bash"

part() { # part FILE FIRST TRIALS [OPTIONS...]: on as many ranks as there are trials
    run $mpirun -np "$3" "$program" run tiny.ini -o "$1" -P experiment.first_trial="$2" -P experiment.trials="$3" "${@:4}"
    check "trials $2 to $(($2 + $3 - 1)): $1" test "$status" = 0
}

# -- three unequal parts, in an odd order ----------------------------------------------------------------------
run $mpirun -np 2 "$program" run tiny.ini -o whole.nc -P experiment.first_trial=2 -P experiment.trials=7
check "the undivided job" test "$status" = 0
sed 's/^trials = 3/trials = 2\nfirst_trial = 2 ; a job file of its own/' tiny.ini >own.ini
run "$program" run own.ini -o a.nc
check "trials 2 to 3: a.nc" test "$status" = 0
part b.nc 4 4
part c.nc 8 1
mkdir parts
run "$program" merge c.nc a.nc b.nc -o parts/all.nc
check "merge" test "$status" = 0
check "it says what it made" said "parts/all.nc: trials 2 to 8, 112 in all, of 3 files"
check "with nothing to warn of" test ! -s stderr
check "the bytes of the undivided job" cmp whole.nc parts/all.nc
check "no draft is left" test "$(ls parts)" = "$(printf 'all.nc\nall.timing.nc')"
check "the seconds of all parts" $python - <<'END'
import netCDF4
import numpy as np

part = [netCDF4.Dataset(f"{p}.timing.nc") for p in "abc"]
whole, all = netCDF4.Dataset("whole.timing.nc"), netCDF4.Dataset("parts/all.timing.nc")
assert np.array_equal(all["seconds"][:], np.concatenate([p["seconds"][:] for p in part], axis=3))
assert not np.ma.is_masked(all["seconds"][:]) and (all["seconds"][..., 0] >= 0).all()
assert list(all.variables) == list(whole.variables) and all.job_parameters == whole.job_parameters
assert list(all.ncattrs()) == list(whole.ncattrs())
assert abs(all.elapsed_seconds - sum(p.elapsed_seconds for p in part)) < 1e-9
assert all.peak_memory_bytes == max(p.peak_memory_bytes for p in part) and all.ranks == 4
lines = all.history.split("\n")
assert len(lines) == 4 and lines[0].endswith("siamese-nas merge c.nc a.nc b.nc -o parts/all.nc"), lines
assert [line in p.history for line, p in zip(lines[1:], part)] == [True] * 3
END
run "$program" run tiny.ini -o parts/all.nc -P experiment.first_trial=2 -P experiment.trials=7
check "run takes it for the finished job" said "complete already"
printf 'left by a kill' | tee parts/all.nc.merge >parts/all.timing.nc.merge
run $mpirun -np 3 "$program" merge ./?.nc ./?.timing.nc -o parts/all.nc
check "three ranks, companions named, too: once more" test "$status" = 0
check "and once only" test "$(wc -l <stdout)" = 1
check "the same bytes" cmp whole.nc parts/all.nc
check "and no draft, of a killed merge neither" test "$(ls parts)" = "$(printf 'all.nc\nall.timing.nc')"
run "$program" merge b.nc -o copy.nc
check "a single part" cmp b.nc copy.nc

# -- the report ------------------------------------------------------------------------------------------------
run "$program" report whole.nc
cp stdout whole.txt
run "$program" report b.nc c.nc a.nc
check "the report of the parts is that of the whole" cmp whole.txt stdout
run "$program" report ./?.nc ./?.timing.nc
check "also where companions are named" cmp whole.txt stdout
run "$program" report parts/all.nc
check "and that of the merged file" cmp whole.txt stdout
check "xarray takes the parts together" $python - <<'END'
import xarray as xr

parts = xr.combine_by_coords([xr.open_dataset(f"{p}.nc") for p in "cab"], data_vars="minimal", combine_attrs="drop")
assert parts.equals(xr.open_dataset("whole.nc"))
END
part other-seed.nc 2 2 -P experiment.seed=7
run "$program" report a.nc other-seed.nc --csv
check "trials of two seeds are different trials" test "$(cut -d, -f6 stdout | sort -u | tr '\n' ' ')" = "4 trials "

# -- without the companion of a part ---------------------------------------------------------------------------
mkdir away
mv b.timing.nc away
run "$program" merge a.nc b.nc c.nc -o some.nc
check "without one companion" test "$status" = 0
check "a note says so" said "some.timing.nc is left out: b.timing.nc is missing"
check "the results are the same" cmp whole.nc some.nc
check "and there are no seconds" no_file some.timing.nc some.timing.nc.merge
cp c.timing.nc b.timing.nc
run "$program" merge a.nc b.nc c.nc -o some.nc
check "the companion of another part" said "some.timing.nc is left out: b.timing.nc does not belong to b.nc"
mv away/b.timing.nc .

# -- refusals --------------------------------------------------------------------------------------------------
refuse() { # refuse NAME WORDS... -- FILES...: exit status 2, one message, no file
    local name=$1 words=()
    shift
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    run "$program" merge "${@:2}" -o x.nc
    check "$name" failed 2 "${words[@]}"
    check "$name: no file" no_file x.nc x.timing.nc x.nc.merge x.timing.nc.merge x.nc.merge.new x.nc.lock
}

part overlap.nc 6 3
part far.nc 12 2
refuse "trials that overlap" "b.nc and overlap.nc both have trials 6 to 7" -- a.nc overlap.nc b.nc
refuse "one trial that is there twice" "overlap.nc and c.nc both have trial 8;" -- overlap.nc c.nc
refuse "missing trials" "no file has trials 4 to 7, between a.nc and c.nc" "experiment.first_trial=4" "experiment.trials=4" -- c.nc a.nc
refuse "a gap behind the third" "no file has trials 9 to 11, between c.nc and far.nc" -- far.nc a.nc b.nc c.nc
refuse "a file given twice" "a.nc: given twice;" -- a.nc b.nc a.nc
ln a.nc same.nc
refuse "a file given under two names" "same.nc: given twice, also as a.nc;" -- a.nc b.nc same.nc
refuse "another seed" "other-seed.nc: does not belong to b.nc: there experiment.seed = 1, here experiment.seed = 7" -- b.nc other-seed.nc
part other-batch.nc 2 2 -P training.batch=4
refuse "another setting" "other-batch.nc" "there training.batch = 8, here training.batch = 4" -- b.nc other-batch.nc
$python "$here/tiny_space.py" tiny2.nc 64 && $python -c 'import netCDF4; netCDF4.Dataset("tiny2.nc", "a")["accuracy"][0, 0] += 1'
part other-space.nc 2 2 -P space.file=tiny2.nc
refuse "another space" "other-space.nc" "there space_checksum = " "here space_checksum = " -- b.nc other-space.nc
changed() { # changed FILE: a copy of a.nc for the statements on f
    cp a.nc "$1"
    $python -c 'import sys, netCDF4; f = netCDF4.Dataset(sys.argv[1], "a"); exec(sys.argv[2])' "$1" "$2"
}
changed other-program.nc 'f.source = "siamese-nas 9.9.9 (revision unknown)"'
refuse "another program" "other-program.nc" "there source = siamese-nas " "here source = siamese-nas 9.9.9" -- b.nc other-program.nc
run "$program" report b.nc other-program.nc
check "which report warns of" grep -q "warning: other-program.nc was made by siamese-nas 9.9.9 (revision unknown), but b.nc by siamese-nas" stderr
check "and takes" said "96 of 96 trials"
changed other-measurer.nc 'f.measurer_fingerprint = "00000000000000aa"'
refuse "candidates measured by another" "there measurer_fingerprint = none, here measurer_fingerprint = 00000000000000aa" -- b.nc other-measurer.nc
run "$program" report b.nc other-measurer.nc
check "which report refuses as well" failed 2 "measurer_fingerprint"
changed other-oracle.nc 'f["oracle"][1] = 99'
refuse "another best cell" "there oracle = " "here oracle = " -- b.nc other-oracle.nc
changed open.nc 'f["complete"][1, 2, 1, 0] = 0'
refuse "one trial is not complete" "open.nc: unfinished, 31 of 32 trials are complete; run its job again first" -- open.nc b.nc
cp open.nc part.nc.part
refuse "a job that is not finished" "part.nc: unfinished, 31 of 32 trials are complete in part.nc.part; run its job again" -- b.nc part.nc
refuse "its unfinished file" "part.nc.part: unfinished, 31 of 32" -- b.nc part.nc.part
run "$program" report b.nc part.nc.part
check "report counts what is there" said "95 of 96 trials are finished"
refuse "no such file" "nowhere.nc: there is no such file" -- a.nc nowhere.nc
for bad in tiny.nc tiny.ini a.timing.nc parts; do refuse "$bad is no results file" "$bad" -- b.nc "$bad"; done
head -c 20000 a.nc >short.nc
refuse "a file cut short" "short.nc" -- short.nc b.nc
$python - <<'END'
import netCDF4

# the header of a results file that promises more than the file holds, and one with other types
old = netCDF4.Dataset("a.nc")
old.set_auto_mask(False)
for name, realization, k in ("huge.nc", 500_000_000, 20), ("long.nc", 2, 2_000_000_000), ("types.nc", 2, 20):
    with netCDF4.Dataset(name, "w") as new:
        new.setncatts({a: old.getncattr(a) for a in old.ncattrs()})
        for d in old.dimensions.values():
            new.createDimension(d.name, {"realization": realization, "k": k}.get(d.name, len(d)))
        for v in old.variables.values():
            kind = "f8" if name == "types.nc" and v.name == "trainings" else v.dtype
            to = new.createVariable(v.name, kind, v.dimensions, contiguous=v.dtype is not str)
            if name == "types.nc" or not {"realization", "k"} & set(v.dimensions):
                to[:] = v[:]
END
limit='ulimit -v 2000000' # which no sanitized program starts under
bash -c "$limit"'; exec "$@"' - "$program" --version >stdout 2>&1 || limit=:
for bad in huge.nc long.nc; do
    run bash -c "$limit"'; exec "$@"' - "$program" merge $bad b.nc -o x.nc
    check "$bad: sizes that cannot be true" failed 2 "$bad" "more than it can hold"
done
refuse "values of another type" "types.nc: trainings has not the type and size" -- types.nc b.nc
run "$program" merge a.nc b.nc -o a.nc
check "the output is an input" failed 2 "a.nc is the input a.nc"
run "$program" merge a.nc b.nc -o same.nc
check "the output is an input by another name" failed 2 "same.nc is the input a.nc"
run "$program" merge a.nc b.nc -o tiny.ini
check "an output that does not end in .nc" failed 2 "tiny.ini" "ends in .nc"
run "$program" merge a.nc b.nc -o c.nc
check "an output with other results" failed 2 "c.nc: holds the results of a different job: there experiment.trials = 1, here experiment.trials = 6"
run "$program" merge a.nc b.nc -o tiny.nc
check "an output that is no results file" failed 2 "tiny.nc: exists and is no results file"
cp open.nc ab.nc.part
run "$program" merge a.nc b.nc -o ab.nc
check "unfinished results under the output's name" failed 2 "ab.nc.part: unfinished results lie here"
check "stay" cmp open.nc ab.nc.part
rm ab.nc.part
$python - >held <<'END' &
import fcntl
import time

with open("ab.nc.lock", "w") as f:
    fcntl.lockf(f, fcntl.LOCK_EX)
    print("held", flush=True)
    time.sleep(60)
END
holder=$!
until [ -s held ]; do sleep 0.1; done
run "$program" merge a.nc b.nc -o ab.nc
check "a run at work on the output" failed 1 "ab.nc is being written by another run"
kill $holder && wait $holder 2>/dev/null
run "$program" merge a.nc b.nc -o ab.nc --wait=60
check "which has ended" test "$status" = 0
check "no lock is left" no_file ab.nc.lock
run "$program" merge a.nc b.nc -o nowhere/ab.nc
check "no such folder" failed 1 "nowhere: cannot write results into this folder"
run "$program" merge a.nc b.nc
check "no output" failed 2 "-o ALL.nc is missing"
run bash -c 'ulimit -f 20; exec "$@"' - "$program" merge a.nc b.nc -o x.nc
check "no room" failed 1 "no room for the results"
check "no room: no file" no_file x.nc x.timing.nc x.nc.merge x.timing.nc.merge x.nc.merge.new x.nc.lock
check "the inputs are as they were" cmp whole.nc parts/all.nc
run "$program" merge a.nc b.nc c.nc -o parts/all.nc
check "and merge as before" cmp whole.nc parts/all.nc
finish
