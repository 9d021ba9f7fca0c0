# interrupt.bash - sourced by the scripts that interrupt runs, behind check.bash: begin one, wait until it is in the middle, see how
# far it came.

# the processes that $1 has started: of mpirun the ranks, in their order
children() { grep -l "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null | cut -d/ -f3 | sort -n; }

# how many trials of a results file or part are finished
finished() { "$program" report "$1" 2>/dev/null | sed -n 's/ of .* trials are finished$//p'; }

# begin COMMAND...: in the background, as $job. What the run before has said is gone when this returns.
begin() {
    : >"$work/stdout"
    : >"$work/stderr"
    "$@" >>"$work/stdout" 2>>"$work/stderr" </dev/null &
    job=$!
}

# until there are more than $2 finished trials in part $1, or the job has ended
wait_beyond() {
    local now
    [ "$2" -ge 0 ] || return 0
    while kill -0 $job 2>/dev/null; do
        now=$(finished "$1")
        [ "${now:-0}" -le "$2" ] || return 0
    done
}

# end: keep the job's status, as run does
end() {
    wait $job 2>/dev/null
    status=$?
}

# stopped WORDS: exit status 75, one message that says why and how far the run came, and no error
stopped() {
    [ "$status" = 75 ] && [ "$(grep -c '^stopped cleanly' "$work/stdout")" = 1 ] && ! grep -q 'siamese-nas: error' "$work/stderr" &&
        grep '^stopped cleanly' "$work/stdout" | grep -q -F -- "$1"
}
