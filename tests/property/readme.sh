#!/usr/bin/env bash
# The README's commands. Blocks marked `run` are run as they stand, in their order, in one folder beside jobs and inputs; a `file NAME` is
# written there. Those marked `dry` take too long: programs, commands, options and files in them must be there, and jobs must pass --dry-run
# with the table that comes along. A block of commands without a mark fails.
. "$(dirname "$0")/experiment.bash"
needs xarray matplotlib
ln -s "$root/jobs" jobs
ln -s "$root/inputs" inputs
mkdir bin blocks
ln -s "$program" bin/siamese-nas
ln -s $python bin/python3
export PATH=$work/bin:$PATH OMPI_MCA_rmaps_base_oversubscribe=1

cat >extract.py <<'END'
"""extract.py README.md FOLDER: its blocks as FOLDER/NN.KIND, and FOLDER/list with a line NN, kind, first line of each."""
import re
import sys

text, folder = open(sys.argv[1], encoding="utf-8").read(), sys.argv[2]
blocks = re.findall(r"^[ ]*```([^\n]*)\n(.*?)^[ ]*```$", text, re.M | re.S)
listing = open(f"{folder}/list", "w")
for number, (mark, body) in enumerate(blocks):
    language, *words = mark.split()
    if language in ("text", "json"):
        continue
    if language == "console":  # a transcript: what follows the prompts
        body = "".join(line[2:] + "\n" for line in body.splitlines() if line.startswith("$ "))
    kind = "-".join([language, *words])
    open(f"{folder}/{number:02}", "w", encoding="utf-8").write(body)
    print(f"{number:02}", kind, body.splitlines()[0][:70], sep="\t", file=listing)
assert len(re.findall(r"^[ ]*```", text, re.M)) == 2 * len(blocks), "a block is not closed"
END
check "blocks" $python extract.py "$root/README.md" blocks

# known WORDS...: does the program's help know this command and these options?
known() {
    local help word
    help=$("$program" "$1" --help 2>/dev/null) && grep -q "siamese-nas $1" <<<"$help" || { echo "no command $1"; return 1; }
    for word in "${@:2}"; do
        case $word in
        --*) grep -q -e "${word%%=*}" <<<"$help" || { echo "$1 has no $word"; return 1; } ;;
        -?) grep -q -e "  $word" -e "$word N" <<<"$help" || { echo "$1 has no $word"; return 1; } ;;
        esac
    done
}

# there FILE: a file of the repository
there() {
    case $1 in jobs/* | inputs/* | slurm/*) [ -e "$root/$1" ] || { echo "$1 is not there"; return 1; } ;; esac
}

# dry LINE: a command that is not run
dry() {
    local words word
    eval "words=($1)"
    while [[ ${words[0]} == *=* ]]; do
        [[ ${words[0]} != JOB=* && ${words[0]} != SCRIPTS=* ]] || there "${words[0]#*=}" || return 1
        words=("${words[@]:1}")
    done
    [ "${words[0]}" != mpirun ] || words=("${words[@]:3}")
    [ "${words[0]}" != srun ] || words=("${words[@]:2}")
    for word in "${words[@]}"; do there "$word" || return 1; done
    case ${words[0]} in
    make) for word in "${words[@]:1}"; do [[ $word == *=* ]] || grep -q "^$word:" "$root/Makefile" || { echo "no target $word"; return 1; }; done ;;
    sbatch | bash) bash -n "$(for word in "${words[@]}"; do case $word in slurm/*.sbatch) echo "$root/$word" ;; esac; done)" ;;
    python3) grep -q "usage" < <(python3 "${words[1]}" --help) ;;
    siamese-nas)
        known "${words[@]:1}" || return 1
        [ "${words[1]}" != run ] || [ ! -e "${words[2]}" ] || run "${words[@]}" --dry-run -P space.file=inputs/nas-bench-201-digits.nc \
            -P space.dataset=digits && [ "$status" = 0 ] ;;
    *) echo "${words[0]}: what is this?"; return 1 ;;
    esac
}

while IFS=$'\t' read -r number kind first; do
    case $kind in
    sh-run) run bash -e "blocks/$number" ;;
    python-run) run python3 -W error::UserWarning "blocks/$number" ;;
    *-file-*) cp "blocks/$number" "${kind#*-file-}"; status=0 ;;
    sh-dry | console-dry)
        status=0
        while read -r line; do
            [ -z "${line%%#*}" ] || dry "${line%% \#*}" >dry.log 2>&1 || { status=1; cat dry.log stderr; echo "of: $line"; break; }
        done < <(sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "blocks/$number") ;;
    *) status=1; echo "a block marked '$kind', which says neither run nor dry" ;;
    esac
    check "$kind: $first" test "$status" = 0; [ -z "${TIMES:-}" ] || echo "ok $SECONDS s"
done <blocks/list
check "ran some" test "$(grep -c -e -run blocks/list)" -ge 8
for name in figures/look.accuracy-digits.pdf best.dot mean.nc live-results.nc scores.nc; do check "$name was made" test -s $name; done
for name in $(grep -o '](\(jobs\|inputs\|src\|slurm\)[^)]*)' "$root/README.md" | tr -d ']()'); do check "$name is there" test -e "$root/$name"; done
finish
