"""Figures of space files and of analyses: see plot.py."""
import numpy as np

from plot_style import draw, integer_axis, legend, log_axis, panels

# The three groups of the paper's figures 1 and 8: it draws them in these colours, but does not say where they end.
GROUPS = [("best tenth", 0.9, 1.0, "#D55E00", "^", 5), ("next four tenths", 0.5, 0.9, "#0072B2", "s", 3), ("worse half", 0.0, 0.5, "0.68", "o", 3)]


def ranks(x):
    """Ties at their mean rank."""
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def spearman(x, y):
    a, b = ranks(x), ranks(y)
    return np.corrcoef(a, b)[0, 1] if len(x) > 2 and a.std() > 0 and b.std() > 0 else np.nan


def title_of(space, name):
    return space.attrs.get("title") or name


def datasets(space):
    return [str(d) for d in space.dataset.values] if "dataset" in space.coords else []


def scatter(axis, x, y, color, marker, size, label=None):
    """Many points: pixels in a PDF, too."""
    alpha = np.clip(600 / max(len(x), 1), 0.25, 0.8)
    axis.scatter(x, y, s=size, c=color, marker=marker, linewidths=0, alpha=alpha, rasterized=True)
    if label:
        axis.scatter([], [], s=4 * size, c=color, marker=marker, linewidths=0, label=label)


def prior(space, what, options):
    """(values, label of the axis, are small values good?) of a signal or of the code"""
    if what == "code":
        epoch = min(options.epoch, space.sizes["code"])
        return space.early_loss.values[:, epoch - 1], f"training loss after epoch {epoch}", True
    words, units = space[what].attrs.get("long_name", what), space[what].attrs.get("units", "1")
    return space[what].values.astype(float), words if units in ("1", "", "1e6") else f"{words} ({units})", False


def worth(space, name, dataset, what, album, options):
    """Figures 1 and 8: prior knowledge against accuracy, all cells, then the two good groups alone."""
    truth = space.accuracy.sel(dataset=dataset).values
    x, label, turned = prior(space, what, options)
    known = np.isfinite(x) & np.isfinite(truth)
    x, y = x[known], truth[known]
    if len(x) < 30:
        return
    bounds = np.quantile(y, [0, 0.5, 0.9, 1])
    figure, axes = panels(3, height=2.7)
    sign = -1 if turned else 1
    part = {}
    for title, low, high, color, marker, size in reversed(GROUPS):  # the best on top
        inside = (y >= np.quantile(y, low)) & ((y < np.quantile(y, high)) | (high == 1))
        part[title] = inside, color, marker, size
        scatter(axes[0], x[inside], y[inside], color, marker, size, title)
    for axis, title in zip(axes[1:], [g[0] for g in GROUPS]):
        inside, color, marker, size = part[title]
        scatter(axis, x[inside], y[inside], color, marker, 1.5 * size)
        axis.set_title(f"{title}: rho = {sign * spearman(x[inside], y[inside]):.2f}")
    axes[0].set_title(f"all cells: rho = {sign * spearman(x, y):.2f}")
    for axis, inside in zip(axes, [y > -1, *(part[g[0]][0] for g in GROUPS)]):
        axis.set_xlabel(label + (", falling" if turned else ""))
        log_axis(axis.xaxis, x[inside])
        if turned:
            axis.invert_xaxis()
    axes[0].set_ylabel(f"accuracy on {dataset} (%)")
    legend(figure, axes[:1])
    hidden = int((x <= 0).sum()) if axes[0].get_xscale() == "log" else 0
    album.add(f"{name}.{what}-{dataset}", figure,
              f"{label[0].upper() + label[1:]} and accuracy on {dataset} of {len(x):,} cells of {title_of(space, name)}. The groups are parts of the "
              f"cells by accuracy: the best tenth (from {bounds[2]:.2f}\u00a0%), the next four tenths (from {bounds[1]:.2f}\u00a0%), the others. rho: Spearman's rank "
              f"correlation{', with the sign turned: small losses are good' if turned else ''}."
              + (f" The logarithmic axis leaves out {hidden} cells of value 0 or less, which count for rho." if hidden else ""))


def code(space, name, album, options):
    if "early_loss" in space:
        for dataset in datasets(space):
            worth(space, name, dataset, "code", album, options)


def signals(space, name, album, options):
    for what in options.signals:
        if what in space and space[what].dims == ("cell",):
            for dataset in datasets(space):
                worth(space, name, dataset, what, album, options)


def flops_groups(flops):
    """As siamese-nas analyse: apart by more than 3 % of the range."""
    values = np.unique(flops)
    edges = values[1:][np.diff(values) > 0.03 * (values[-1] - values[0])]
    return np.searchsorted(edges, flops, side="right")


def cut_failures(axis, y):
    """Few cells that learned nothing must not take half of the picture; returns how many are left out."""
    low = np.quantile(y, 0.03)
    if low - y.min() < 0.3 * (y.max() - y.min()):
        return 0
    axis.set_ylim(low - 0.05 * (y.max() - low), y.max() + 0.05 * (y.max() - low))
    return int((y < axis.get_ylim()[0]).sum())


def flops(spaces, album, options):
    """Figure 4: accuracy against FLOPs, one space in groups; with more than one space, all in one panel."""
    found = [(name, s) for name, s in spaces if "flops" in s and "accuracy" in s]
    looks = [("#0072B2", "o"), ("#D55E00", "^"), ("0.6", "s"), ("#009E73", "v")]
    for name, space in found:
        x = space.flops.values
        for dataset in datasets(space):
            y = space.accuracy.sel(dataset=dataset).values
            known = np.isfinite(x) & np.isfinite(y)
            figure, (axis,) = panels(1, height=2.7)
            group = flops_groups(x[known])
            for g in range(group.max() + 1):  # neighbours differ in colour, grey and shape
                color, marker = (("#0072B2", "o"), ("#E69F00", "s"))[g % 2]
                scatter(axis, x[known][group == g], y[known][group == g], color, marker, 3)
            best = [np.flatnonzero(group == g)[np.argmax(y[known][group == g])] for g in range(group.max() + 1)]
            axis.plot(x[known][best], y[known][best], color="black", marker="*", markersize=5, linewidth=0.8, label="best cell of each group")
            axis.set(xlabel="multiply-adds of an image (millions)", ylabel=f"accuracy on {dataset} (%)")
            legend(figure, [axis])
            below = cut_failures(axis, y[known])
            album.add(f"{name}.flops-{dataset}", figure,
                      f"Accuracy on {dataset} against multiply-adds, {known.sum():,} cells of {title_of(space, name)}, in {group.max() + 1} groups along "
                      f"the axis, which are apart by more than 3\u00a0% of its range.{f' {below} cells are below the picture.' if below else ''}")
    if len(found) < 2:
        return
    for dataset in datasets(found[0][1]):
        figure, (axis,) = panels(1, height=2.7)
        with_it = [(name, s) for name, s in found if dataset in datasets(s)]
        for (name, space), (color, marker) in zip(with_it, looks):
            scatter(axis, space.flops.values, space.accuracy.sel(dataset=dataset).values, color, marker, 4, title_of(space, name))
        axis.set(xlabel="multiply-adds of an image (millions)", ylabel=f"accuracy on {dataset} (%)")
        legend(figure, [axis])
        if len(with_it) > 1:
            album.add("+".join(n for n, _ in with_it) + f".flops-{dataset}", figure,
                      f"Accuracy on {dataset} against multiply-adds of the cells of {', '.join(title_of(s, n) for n, s in with_it)}.")


def epochs(analysis, name, album, options):
    """From which epoch on a code is worth its cost."""
    if "epoch" not in analysis.dims:
        return
    looks = {"loss_": ("#000000", "-", "o", "loss after the epoch"), "mean_loss_": ("#D55E00", "--", "s", "mean loss up to the epoch")}
    shown = {"tau": "Kendall's tau-b, all cells", "tau_top": "Kendall's tau-b, best tenth"}
    for dataset in map(str, analysis.dataset.values):
        at = analysis.sel(dataset=dataset)
        figure, axes = panels(2)
        for axis, (measure, title) in zip(axes, shown.items()):
            for prefix, (color, dash, marker, label) in looks.items():
                every = max(1, at.sizes["epoch"] // 10)
                mean, interval = -at[prefix + measure].values, prefix + measure + "_interval"
                low, high = (-at[interval].values.T if interval in at else (mean, mean))
                draw(axis, at.epoch.values, mean, low, high, {"color": color, "linestyle": dash, "marker": marker}, label, every)
            axis.set(xlabel="epoch", ylabel=title)
            integer_axis(axis.xaxis)
        legend(figure, axes)
        album.add(f"{name}.epochs-{dataset}", figure,
                  f"How well early training losses order the cells by accuracy on {dataset}; the sign is turned, as small losses are good. "
                  f"{analysis.attrs['space']}, {int(analysis.loss_cells.max()):,} cells; bands: 95\u00a0% intervals from {analysis.attrs['bootstrap_samples']} "
                  f"bootstrap samples of the cells.")


SPACE_FIGURES = {"code": code, "signals": signals}
