#!/usr/bin/env python3
"""Figures for a paper from results files: plot.py RESULTS.nc... -o DIR. Needs python3-matplotlib, python3-xarray and python3-netcdf4.

What is drawn depends on the files; --only picks.
  RESULTS.nc (siamese-nas run; parts of a job array become one job)
    accuracy   best accuracy against trained samples N + K, N grows        (figures 5, 6b, 7)
    topk       the same for one N, K grows                                 (figure 6a)
    regret     regret against total cost, all methods
    learning   rank correlation of the predictors against N
    table1     seconds of batch and fully top sampling beside the paper's (needs NAME.timing.nc)
  SPACE.nc (a table)
    flops      accuracy against multiply-adds; two spaces in one figure    (figure 4)
    code       early loss against accuracy in the paper's three groups     (figures 1, 8a, 8b)
    signals    the same for signals such as synflow                        (figures 8c, 8d)
  ANALYSIS.nc (siamese-nas analyse)
    epochs     what losses of later epochs are worth
  SCALING.nc (slurm/scaling.sbatch)
    scaling    speed-up and efficiency

Writes a PDF and a PNG of each, with a caption that names the job, the trials and what the bands are, and captions.md with all of them.
"""
import argparse
import os
import sys

try:
    import xarray as xr
    import plot_results
    import plot_space
    from plot_style import Album
except ImportError as error:
    sys.exit(f"{sys.argv[0]}: {error}; needs python3-matplotlib, python3-xarray and python3-netcdf4 for {sys.executable}: make deps, or pip")

NAMES = [*plot_results.FIGURES, "flops", *plot_space.SPACE_FIGURES, "epochs", "scaling"]


def numbers(text):
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of whole numbers such as 10,20")


def names(text):
    for name in text.split(","):
        if name not in NAMES:
            raise argparse.ArgumentTypeError(f"unknown figure '{name}'; known are {', '.join(NAMES)}")
    return text.split(",")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE.nc")
    parser.add_argument("-o", "--output", default="results/figures", metavar="DIR", help="folder of the figures (results/figures)")
    parser.add_argument("--only", type=names, default=[], metavar="NAMES", help="the figures to draw, separated by commas")
    parser.add_argument("-k", type=numbers, metavar="LIST", help="values of K (those of the job, at most three)")
    parser.add_argument("-n", type=numbers, metavar="LIST", help="values of N that regret may show: the largest of them (of all)")
    parser.add_argument("--join", metavar="NAME", help="the methods of all jobs in one figure, which gets this name")
    parser.add_argument("--band", choices=plot_results.BAND, default="std", help="std: standard deviation, se: standard error, none (std)")
    parser.add_argument("--epoch", type=int, default=3, help="whose loss stands for the code (3)")
    parser.add_argument("--signals", type=lambda text: text.split(","), default=["synflow"], help="(synflow)")
    parser.add_argument("--formats", type=lambda text: text.split(","), default=["pdf", "png"], help="(pdf,png)")
    parser.add_argument("--dpi", type=int, default=300, help="of a PNG (300)")
    parser.add_argument("--no-caption", action="store_true", help="captions in captions.md only")
    return parser.parse_args()


def read(paths):
    """Files by what is in them."""
    kinds = {"results": [], "space": [], "analysis": [], "scaling": []}
    for path in paths:
        name = os.path.basename(path).removesuffix(".nc").removesuffix(".analysis")
        if path.endswith((".timing.nc", ".part", ".lock")):
            continue  # the first belongs to its results, the others to a run that is not done
        try:
            data = xr.open_dataset(path)
        except (OSError, ValueError) as error:
            sys.exit(f"plot.py: {path}: cannot be read: {error}")
        if "best" in data and "complete" in data:
            timing = path.removesuffix(".nc") + ".timing.nc"
            kinds["results"].append((name, data, xr.open_dataset(timing) if os.path.exists(timing) else None))
        elif "operation" in data:
            kinds["space"].append((name, data))
        elif "bootstrap_samples" in data.attrs:
            kinds["analysis"].append((name, data))
        elif "efficiency" in data:
            kinds["scaling"].append((name, data))
        else:
            sys.exit(f"plot.py: {path}: neither results, nor a space, an analysis or a scaling table of siamese-nas")
    return kinds


def main():
    options = parse()
    kinds = read(options.files)
    album = Album(options.output, options.formats, not options.no_caption, options.dpi)
    wanted = lambda name: not options.only or name in options.only
    jobs = list(plot_results.join_parts(kinds["results"]))
    if options.join and jobs:
        try:
            jobs = [plot_results.join_methods(jobs, options.join)]
        except ValueError as error:
            sys.exit(f"plot.py: --join {options.join}: {error}")
    for job in jobs:
        if not bool(job.done.any()):
            sys.exit(f"plot.py: {job.name}: no trial is finished")
        if options.k and max(options.k) > job.data.k.max():
            sys.exit(f"plot.py: {job.name}: K = {max(options.k)} was asked for, but its curves end at K = {int(job.data.k.max())}")
        if options.n and not set(options.n) & set(job.data.budget.values):
            sys.exit(f"plot.py: {job.name}: no N of {options.n}; it has {job.data.budget.values.tolist()}")
        for name, draw in plot_results.FIGURES.items():
            if wanted(name):
                draw(job, album, options)
    if wanted("flops"):
        plot_space.flops(kinds["space"], album, options)
    for name, draw in plot_space.SPACE_FIGURES.items():
        for stem, space in kinds["space"]:
            if wanted(name):
                draw(space, stem, album, options)
    for stem, analysis in kinds["analysis"]:
        if wanted("epochs"):
            plot_space.epochs(analysis, stem, album, options)
    for stem, table in kinds["scaling"]:
        if wanted("scaling"):
            plot_results.scaling(table, stem, album, options)
    album.close()
    if not album.captions:
        sys.exit(f"plot.py: nothing to draw{' of ' + ', '.join(options.only) if options.only else ''} in these files; plot.py --help says what "
                 "each figure needs")


if __name__ == "__main__":
    main()
