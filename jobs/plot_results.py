"""Figures of results files: see plot.py."""
import numpy as np
import xarray as xr

from plot_style import draw, integer_axis, legend, log_axis, panels, show_means, styles


class Job:
    """The finished trials of one job, from one file or from its parts."""

    def __init__(self, name, data, timing=None):
        self.name, self.data, self.timing = name, data, timing
        self.parameters = dict(line.split(" =", 1) for line in data.attrs["job_parameters"].splitlines() if " =" in line)
        self.parameters = {key: value.strip() for key, value in self.parameters.items()}
        self.done = data.complete == 1
        self.styles = styles([str(m) for m in data.method.values])

    def ks(self):
        """The K values that the job asks for, as far as the curves go: "10, 20" or "10..50:10"."""
        found = []
        for part in self.parameters["evaluation.K"].split(","):
            first, _, rest = part.strip().partition("..")
            last, _, step = rest.partition(":")
            found += range(int(first), int(last or first) + 1, int(step or 1))
        return [k for k in found if k <= self.data.k.max()]

    def space(self):
        cells, words = int(self.data.attrs["space_cells"]), self.data.attrs.get("space_title") or self.parameters["space.file"]
        only = self.parameters.get("space.filter")
        return f"{words}{f' with {only}' if only else ''}, {cells:,} cells"

    def about(self, band=None):
        """What every caption ends with."""
        trials = self.done.sum("realization").values
        trials = trials[trials > 0]
        count = f"{trials.min()}" if trials.min() == trials.max() else f"{trials.min()} to {trials.max()}"
        text = f"Job {self.name}, {self.space()}; {count} trials with seed {self.parameters['experiment.seed']}"
        return text + (f"; bands: {band}, cut where they leave the picture." if band else ".")


def spread(values, kind):
    """low and high of the band over the trials, given values (trials, ...)"""
    count = np.isfinite(values).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=0) / count
        std = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / (count - 1))
        half = {"std": std, "se": std / np.sqrt(count), "none": std * np.nan}[kind]
    return mean, mean - half, mean + half


BAND = {"std": "plus and minus one standard deviation over the trials", "se": "plus and minus one standard error of the mean",
        "none": None}


def oracle_line(axis, job, dataset):
    best = float(job.data.oracle.sel(dataset=dataset))
    if np.isfinite(best):
        axis.axhline(best, color="0.3", linewidth=0.8, linestyle=(0, (1, 2)), label=f"best cell ({best:.2f})", zorder=1)
    return best


def place(dataset, method, budget):
    """For sel(), whose keyword `method` is another thing."""
    return {"dataset": dataset, "method": method, "budget": budget}


def series(job, dataset, method, variable):
    """[budget] -> values (finished trials, ...)"""
    for budget in job.data.budget.values:
        at = place(dataset, method, budget)
        done = job.done.sel(at).values
        if done.any():
            yield int(budget), job.data[variable].sel(at).values[done]


def accuracy(job, album, options):
    """Figures 5, 6 (b) and 7: the best of K against N + K, N grows."""
    if job.data.sizes["budget"] < 2:
        return
    for dataset in map(str, job.data.dataset.values):
        ks = options.k or job.ks()[:3]
        figure, axes = panels(len(ks))
        for axis, k in zip(axes, ks):
            means = []
            for method, look in job.styles.items():
                points = [(n, *spread(best[:, k - 1], options.band)) for n, best in series(job, dataset, method, "best")]
                if points:
                    n, mean, low, high = map(np.array, zip(*points))
                    means.append(mean)
                    draw(axis, n + k, mean, low, high, look, method)
            show_means(axis, np.concatenate(means), oracle_line(axis, job, dataset))
            axis.set_xlabel(f"trained samples N + K with K = {k}")
            integer_axis(axis.xaxis)
        axes[0].set_ylabel(f"best accuracy on {dataset} (%)")
        legend(figure, axes)
        album.add(f"{job.name}.accuracy-{dataset}", figure,
                  f"Accuracy on {dataset} of the best of the K cells that are trained at the end, mean over the trials, against all cells "
                  f"trained. {job.about(BAND[options.band])}")


def topk(job, album, options):
    """Figure 6 (a): N stays, K grows."""
    if job.data.sizes["budget"] > 1 and "topk" not in options.only:
        return
    for dataset in map(str, job.data.dataset.values):
        figure, (axis,) = panels(1)
        n = int(job.data.budget.values[0])
        last, means = max(options.k or job.ks()), []
        for i, (method, look) in enumerate(job.styles.items()):
            for budget, best in series(job, dataset, method, "best"):
                if budget == n:
                    mean, low, high = spread(best[:, :last], options.band)
                    means.append(mean)
                    every = max(1, last // 9)
                    draw(axis, n + np.arange(1, last + 1), mean, low, high, look, method, (i * every // len(job.styles), every))
        show_means(axis, np.concatenate([m[last // 50:] for m in means]), oracle_line(axis, job, dataset))
        axis.set(xlabel=f"trained samples N + K with N = {n}", ylabel=f"best accuracy on {dataset} (%)")
        integer_axis(axis.xaxis)
        legend(figure, [axis])
        album.add(f"{job.name}.topk-{dataset}", figure,
                  f"Accuracy on {dataset} of the best of K cells, mean over the trials: N stays at {n}, K grows to {last}. "
                  f"{job.about(BAND[options.band])}")


def incumbent(accuracy, label):
    """Accuracy of the cell with the best label so far, after each training."""
    label = np.where(np.isfinite(label), label, -np.inf)
    record = np.maximum.accumulate(label)
    new = np.concatenate([[True], record[1:] > record[:-1]])
    return accuracy[np.maximum.accumulate(np.where(new, np.arange(len(label)), 0))]


def regret_curves(job, dataset, method, budget, grid):
    """(trials, grid): regret when that much is paid; NaN before the first training."""
    r, done = (x.sel(place(dataset, method, budget)) for x in (job.data, job.done))
    curves = []
    for t in np.flatnonzero(done.values):
        size = int(r.query_size.values[t])
        cost = r.query_cost.values[t, :size]
        best = incumbent(r.query_accuracy.values[t, :size], r.query_label.values[t, :size])
        last = np.searchsorted(cost, grid, side="right") - 1
        curves.append(np.where(last >= 0, float(r.oracle) - best[np.maximum(last, 0)], np.nan))
    return np.array(curves)


def final_cost(job, dataset, method, budget):
    cost, done = (x.sel(place(dataset, method, budget)) for x in (job.data.query_cost, job.done))
    return cost.max("query").where(done)


def regret(job, album, options):
    """Regret of the best so far against what has been paid, all methods."""
    if "query_cost" not in job.data:
        return
    for dataset in map(str, job.data.dataset.values):
        if not np.isfinite(job.data.oracle.sel(dataset=dataset)):
            continue  # a live search: nobody knows the best cell
        budgets = [b for b in job.data.budget.values if not options.n or b in options.n]
        n = int(budgets[-1])
        figure, (axis,) = panels(1, height=2.9)
        lowest, highest, edge = np.inf, 0, False
        for i, (method, look) in enumerate(job.styles.items()):
            end = float(final_cost(job, dataset, method, n).mean())
            if not np.isfinite(end):
                continue
            grid = np.arange(1, int(end) + 1)
            values = regret_curves(job, dataset, method, n, grid)
            mean, low, high = spread(values, "se")
            mean[np.isnan(values).any(axis=0)] = np.nan  # not before every trial has trained a cell
            positive = mean[mean > 0]
            lowest = min(lowest, positive.min() if positive.size else np.inf)
            highest = max(highest, 1.5 * np.nanmax(mean[len(grid) // 50:]))
            every = max(1, len(grid) // 9)
            edge = edge or np.nanmin(mean) <= 0
            shown = np.where(mean <= 0, 1e-12, mean)
            draw(axis, grid, shown, np.maximum(low, 1e-12), np.maximum(high, 1e-12), look, method, (i * every // len(job.styles), every))
        bottom = lowest / 2 if np.isfinite(lowest) else 0.01
        axis.set(xlabel=f"total cost of the search (full trainings; N = {n})", ylabel=f"regret on {dataset} (percentage points)")
        log_axis(axis.yaxis, np.array([bottom, max(highest, 5 * bottom)]))
        axis.set_ylim(bottom, highest)
        axis.set_xlim(left=0)
        legend(figure, [axis])
        album.add(f"{job.name}.regret-{dataset}", figure,
                  f"Regret to the best cell of the table on {dataset}, of the cell with the best label so far, mean over the trials, against all "
                  f"that was paid: 1 for a training, 0.003 for an Estimation Code. N = {n}, K = {job.data.sizes['k']}. "
                  f"{'Curves at the lower edge: the best cell was found in all trials. ' if edge else ''}{job.about(BAND['se'])}")


def learning(job, album, options):
    """Rank correlations of the predictors against N."""
    if job.data.sizes["budget"] < 2:
        return
    shown = {"rho": "Spearman's rho, all cells", "tau": "Kendall's tau-b, all cells", "tau_top": "Kendall's tau-b, best tenth"}
    for dataset in map(str, job.data.dataset.values):
        if not np.isfinite(job.data.tau.sel(dataset=dataset)).any():
            continue
        figure, axes = panels(len(shown))
        for axis, (variable, title) in zip(axes, shown.items()):
            for method, look in job.styles.items():
                points = [(n, *spread(values, options.band)) for n, values in series(job, dataset, method, variable)
                          if np.isfinite(values).any()]
                if points:
                    n, mean, low, high = map(np.array, zip(*points))
                    draw(axis, n, mean, low, high, look, method)
            axis.set(xlabel="N: cells trained for the predictor", ylabel=title)
            integer_axis(axis.xaxis)
        legend(figure, axes)
        album.add(f"{job.name}.learning-{dataset}", figure,
                  f"How well the predictors rank the cells by accuracy on {dataset}, mean over the trials, against the cells they learn from. "
                  f"{job.about(BAND[options.band])}")


PAPER_SECONDS = {("nas-bench-201", "fts"): 816.43, ("nas-bench-201", "bts"): 140.62, ("nanobench", "fts"): 115.67, ("nanobench", "bts"): 67.22}


def table1(job, album, options):
    """Table 1: what fully and batch top sampling cost, beside the paper's seconds."""
    samplers = [str(s) for s in job.data.sampler.values]
    if job.timing is None or not {"bts", "fts"} <= set(samplers):
        return
    title = f"{job.data.attrs.get('space_title', '')} {job.parameters['space.file']}".lower()
    paper = next((name for name in ("nanobench", "nas-bench-201") if name in title), None)
    rows, seconds = [], job.timing.seconds.where(job.done)
    for dataset in map(str, job.data.dataset.values):
        for budget in job.data.budget.values:
            for method, sampler in zip(job.data.method.values, samplers):
                at = place(dataset, method, budget)
                fit = seconds.sel({"phase": ["train", "rank"], **at}).sum("phase", skipna=False)
                best = job.data.best.where(job.done).sel({"k": job.ks()[-1], **at})
                ours = PAPER_SECONDS.get((paper, sampler)) if budget == 100 else None
                rows.append((dataset, method, budget, f"{float(fit.mean()):.2f} ± {float(fit.std(ddof=1)):.2f}",
                             f"{float(seconds.sel({'phase': 'rank', **at}).mean()):.2f}", f"{ours:.2f}" if ours else "-",
                             f"{ours / float(fit.mean()):.0f} x" if ours else "-", f"{float(best.mean()):.3f}", int(best.count())))
    head = ("data set", "method", "N", "seconds a trial", "of these ranking", "paper's seconds", "faster", f"best of K = {job.ks()[-1]} (%)",
            "trials")
    wide = [max(len(str(r[i])) for r in [head, *rows]) for i in range(len(head))]
    line = lambda r: "| " + " | ".join(str(x).ljust(w) for x, w in zip(r, wide)) + " |\n"
    table = line(head) + "|" + "|".join("-" * (w + 2) for w in wide) + "|\n" + "".join(map(line, rows))
    album.text(f"{job.name}.table1.md", table,
               f"Training a predictor with top sampling, wall time on one core against the seconds of the paper's Table 1 (hardware not named). "
               f"{job.about()}")


def scaling(data, name, album, options):
    """Speed-up and efficiency of slurm/scaling.sbatch."""
    look = {"strong": ("#000000", "-", "o"), "weak": ("#D55E00", "--", "s")}
    figure, axes = panels(2)
    ranks = data.ranks.values
    axes[0].plot(ranks, ranks, color="0.6", linestyle=":", linewidth=0.9, label="ideal")
    for kind in map(str, data.scaling.values):
        style = dict(zip(("color", "linestyle", "marker"), look.get(kind, ("#0072B2", "-.", "^"))))
        axes[0].plot(ranks, data.speedup.sel(scaling=kind), label=kind, **style)
        axes[1].plot(ranks, 100 * data.efficiency.sel(scaling=kind), label=kind, **style)
    for axis in axes:
        axis.set_xscale("log", base=2)
        axis.set_xticks(ranks, [str(r) for r in ranks])
        axis.minorticks_off()
        axis.set_xlabel("MPI ranks")
    axes[0].set_yscale("log", base=2)
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].set_ylabel("speed-up over one rank")
    axes[1].set_ylabel("efficiency (%)")
    axes[1].axhline(100, color="0.6", linestyle=":", linewidth=0.9)
    axes[1].set_ylim(0, 110)
    legend(figure, axes)
    units = {kind: data.units.sel(scaling=kind).values for kind in ("strong", "weak")}
    album.add(f"{name}.scaling", figure,
              f"{data.attrs.get('title', 'Scaling')}, units of work a second over those of one rank: strong, {units['strong'][0]} units on any number of "
              f"ranks; weak, {units['weak'][0]} units a rank. {data.attrs.get('source', '')}, {data.attrs.get('nodes', '?')} nodes.")


FIGURES = {"accuracy": accuracy, "topk": topk, "regret": regret, "learning": learning, "table1": table1}


def free_keys(text):
    """The parameters in which the parts of a job may differ."""
    free = ("experiment.first_trial", "experiment.trials", "experiment.seed", "space.file")
    return "\n".join(line for line in text.splitlines() if not line.startswith(free))


def join_parts(found):
    """[(name, results, timing)] -> jobs: parts of the same job become one"""
    groups = {}
    for name, data, timing in found:
        key = (data.attrs["space_checksum"], free_keys(data.attrs["job_parameters"]))
        groups.setdefault(key, []).append((name, data, timing))
    for parts in groups.values():
        names = [name for name, _, _ in parts]
        stem = names[0]
        while not all(name.startswith(stem) for name in names):
            stem = stem[:-1]
        together = lambda part: xr.concat(part, "realization", data_vars="minimal", coords="minimal", compat="override",
                                          combine_attrs="override")
        data = together([p for _, p, _ in parts])
        timing = together([t for _, _, t in parts]) if all(t is not None for _, _, t in parts) else None
        if len(parts) > 1:  # trials of several parts are told apart by a new number: seeds may differ
            data = data.assign_coords(realization=np.arange(data.sizes["realization"]))
            timing = timing if timing is None else timing.assign_coords(realization=data.realization)
        yield Job(stem.rstrip("-_.") or names[0], data, timing)


def join_methods(jobs, name):
    """Jobs of one space and data set as one: the methods of all, each from the first job that has it."""
    data = jobs[0].data
    for other in (job.data for job in jobs[1:]):
        if any(other.attrs[a] != data.attrs[a] for a in ("space_checksum", "space_cells")):
            raise ValueError("jobs of different spaces, or of different cells of one, do not belong into one figure")
        new = [m for m in other.method.values if m not in data.method.values]
        if new:
            data = xr.concat([data, other.sel({"method": new})], "method", data_vars="minimal", coords="minimal", compat="override",
                             combine_attrs="override", join="outer")
    return Job(name, data)
