# experiment.bash - sourced by the scripts that run whole experiments on a made-up space: what check.bash has, and tiny.nc and
# tiny.ini in the working folder.
. "$(dirname "${BASH_SOURCE[0]}")/check.bash"
needs netCDF4

$python "$here/tiny_space.py" tiny.nc || exit 1
cat >tiny.ini <<END
[space]
file = tiny.nc
dataset = one, two
[experiment]
predictor = random, naive, siamese+nsam+bts, siamese+fts
N = 10, 16
trials = 3
[training]
epochs = 2, 4, 2, 1
[sampling]
rounds = 2
part = 0.5
c = 8
[evaluation]
c = 12
K = 1, 5, 10
K_max = 20
END
