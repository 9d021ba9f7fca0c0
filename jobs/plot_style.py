"""What all figures of plot.py share: colours, dashes and markers that differ for everybody and in grey, sizes, captions, saving."""
import os
import textwrap

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

plt.rcParams.update({
    "font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "legend.fontsize": 7, "xtick.labelsize": 7, "ytick.labelsize": 7,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6, "axes.grid": True, "axes.axisbelow": True,
    "grid.linewidth": 0.4, "grid.color": "0.88", "lines.linewidth": 1.2, "lines.markersize": 4, "legend.frameon": False,
    "legend.handlelength": 3.2, "figure.dpi": 100, "savefig.dpi": 300, "pdf.fonttype": 42, "svg.hashsalt": "siamese-nas",
    "axes.formatter.useoffset": False,
})

# Okabe and Ito's colours. The paper's methods keep theirs in every figure; others take the free ones in order.
KNOWN = {
    "random": ("0.55", ":", "x"), "naive": ("#000000", "-", "o"), "siamese": ("#E69F00", "--", "s"),
    "siamese+nsam": ("#56B4E9", "-.", "^"), "siamese+nsam+bts": ("#D55E00", "-", "D"),
    "siamese+nsam+fts": ("#CC79A7", (0, (5, 1, 1, 1, 1, 1)), "v"),
}
FREE = [
    ("#0072B2", (0, (4, 1)), "P"), ("#009E73", (0, (1, 1)), "X"), ("#882255", (0, (6, 2)), "<"), ("#44AA99", (0, (3, 1, 1, 1)), ">"),
    ("#999933", (0, (2, 2)), "*"), ("#332288", (0, (7, 1, 1, 1)), "h"), ("#AA4499", (0, (1, 2)), "p"), ("#661100", (0, (8, 3)), "d"),
]
WIDTH, HEIGHT = 3.4, 2.5  # inches of a panel: a column of a paper


def styles(methods):
    """method -> keywords of plot()"""
    free = [m for m in methods if m not in KNOWN]
    look = {**KNOWN, **{m: FREE[i % len(FREE)] for i, m in enumerate(free)}}
    return {m: dict(zip(("color", "linestyle", "marker"), look[m])) for m in methods}


def panels(count, sharey=False, height=HEIGHT):
    figure, axes = plt.subplots(1, count, figsize=(WIDTH * count, height), squeeze=False, sharey=sharey, layout="constrained")
    return figure, axes[0]


def integer_axis(axis):
    axis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def log_axis(axis, values):
    """Logarithmic with plain numbers for ticks; a short range stays linear."""
    values = values[np.isfinite(values) & (values > 0)]
    decades = np.log10(values.max() / values.min()) if values.size else 0
    if decades < 0.6:
        return
    getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    axis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7) if decades < 1.3 else (1, 2, 5) if decades < 3 else (1,)))
    if decades < 8:
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_minor_locator(NullLocator())


def draw(axis, x, mean, low, high, look, label, every=1):
    """A curve with its band, whose thin edges are there in grey as well."""
    axis.fill_between(x, low, high, color=look["color"], alpha=0.10, linewidth=0)
    for edge in (low, high):
        axis.plot(x, edge, color=look["color"], linestyle=look["linestyle"], linewidth=0.4, alpha=0.6)
    axis.plot(x, mean, label=label, markevery=every, **look)


def show_means(axis, means, top):
    """Limits that the curves decide, not the widest band: that may be cut."""
    low, high = means.min(), max(means.max(), top if np.isfinite(top) else -np.inf)
    axis.set_ylim(low - 0.25 * (high - low), high + 0.06 * (high - low))


def legend(figure, axes):
    """Above the panels, where it hides nothing; each name once. Album.add() makes room for it."""
    handles = {}
    for a in axes:
        for handle, label in zip(*a.get_legend_handles_labels()):
            handles.setdefault(label, handle)
    if handles:
        longest, room = max(map(len, handles)), int(18 * figure.get_size_inches()[0])  # in letters
        figure.names = handles, max(1, min(len(handles), room // (longest + 11)))


class Album:
    """The folder that the figures go to."""

    def __init__(self, folder, formats, with_caption, dpi):
        self.folder, self.formats, self.with_caption, self.dpi, self.captions = folder, formats, with_caption, dpi, []
        os.makedirs(folder, exist_ok=True)

    def _arrange(self, figure, caption):
        """Panels keep their size; names above and words below them add to the height."""
        width, height = figure.get_size_inches()
        lines = textwrap.wrap(caption, int(20.5 * width)) if self.with_caption else []
        handles, columns = getattr(figure, "names", ({}, 1))
        above, below = 0.16 * -(-len(handles) // columns), 0.115 * len(lines) + (0.06 if lines else 0)
        whole = above + height + below
        figure.set_size_inches(width, whole)
        figure.get_layout_engine().set(rect=(0, below / whole, 1, height / whole))
        if handles:
            figure.legend(handles.values(), handles.keys(), loc="upper center", bbox_to_anchor=(0.5, 1), ncol=columns, borderaxespad=0.1,
                          columnspacing=1.2, markerscale=getattr(figure, "markerscale", 1))
        if lines:
            figure.text(0.01, 0.04 / whole, "\n".join(lines), fontsize=6.2, color="0.25", ha="left", va="bottom", linespacing=1.25)

    def add(self, name, figure, caption):
        name, caption = name.replace("/", "-"), caption.replace(" = ", "\u00a0=\u00a0")  # no line ends there
        self._arrange(figure, caption)
        for end in self.formats:
            # no dates: the same results give the same files
            plain = {"pdf": {"CreationDate": None, "Producer": None}, "png": {"Software": None}, "svg": {"Date": None}}
            figure.savefig(os.path.join(self.folder, f"{name}.{end}"), dpi=self.dpi, metadata=plain.get(end, {}))
        plt.close(figure)
        self.note(f"{name}.{self.formats[0]}", caption)

    def text(self, name, text, caption):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
            f.write(text)
        self.note(name, caption)

    def note(self, name, caption):
        self.captions.append(f"**{name}** {caption}\n")
        print(os.path.join(self.folder, name))

    def close(self):
        with open(os.path.join(self.folder, "captions.md"), "w", encoding="utf-8") as f:
            f.write("\n".join(self.captions))
