#!/usr/bin/python3
"""The siamese+nsam predictor once more, in straightforward PyTorch: the peer that the speed of a training step is measured against.

usage: siamese_torch.py DIR [train_step ms]

DIR holds weights.nc and batch.txt as `build/bench/speed DIR` writes them. Both programs start from these weights and take three
Adam steps on this batch; their losses must agree before anything is timed. Prints the time of a training step, one thread.
"""
import sys
import time

import netCDF4
import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
H, EPSILON, MOMENTUM = 64, 1e-4, 0.997


class Group(nn.Module):
    """G(A, X): both directions of the edges, each affine, batch-normalised and passed through mish, and their mean."""

    def __init__(self, inputs):
        super().__init__()
        self.weight = nn.ParameterList([nn.Parameter(torch.empty(inputs, H)) for _ in range(2)])
        self.bias = nn.ParameterList([nn.Parameter(torch.zeros(H)) for _ in range(2)])
        self.norm = nn.ModuleList([nn.BatchNorm1d(H, eps=EPSILON, momentum=1 - MOMENTUM) for _ in range(2)])

    def forward(self, a, x):
        out = 0
        for weight, bias, norm, edges in zip(self.weight, self.bias, self.norm, (a, a.transpose(1, 2))):
            z = edges @ (x @ weight) + bias
            out = out + nn.functional.mish(norm(z.reshape(-1, H)).reshape(z.shape))
        return out / 2


def attention(a, x, q, k, v):
    s = q @ k.transpose(1, 2)
    return x + torch.softmax(s * a, 2) @ v + torch.softmax(s * a.transpose(1, 2), 2) @ v


class Siamese(nn.Module):
    GROUPS = ["group_1", "group_2", "group_3", "nsam_query", "nsam_key", "nsam_value", "nsam_out", "efm_query", "efm_key", "efm_out"]

    def __init__(self, nodes, operations, code):
        super().__init__()
        self.nodes = nodes
        self.group = nn.ModuleDict({g: Group(operations if g == "group_1" else H) for g in self.GROUPS})
        self.code = nn.Linear(code, nodes * H)
        self.code_norm = nn.BatchNorm1d(H, eps=EPSILON, momentum=1 - MOMENTUM)
        self.head = nn.Linear(nodes, 1)

    def top(self, x):
        return torch.sigmoid(self.head(x.mean(2))).squeeze(1)

    def forward(self, a, x, code):
        g = self.group
        x = g["group_2"](a, g["group_1"](a, x))
        x = attention(a, x, g["nsam_query"](a, x), g["nsam_key"](a, x), g["nsam_value"](a, x))
        x1 = g["group_3"](a, g["nsam_out"](a, x))
        k = self.code_norm(self.code(code).reshape(-1, H)).reshape(-1, self.nodes, H)
        k = g["efm_key"](a, nn.functional.mish(k))
        q = g["efm_query"](a, x1)
        x2 = g["efm_out"](a, attention(a, x1, q, k, q))
        return self.top(x1), self.top(x2)


def load(path):
    with netCDF4.Dataset(path) as f:
        get = lambda name: torch.tensor(np.asarray(f[name][:]))
        net = Siamese(f.nodes, f.operations, f.code_length)
        with torch.no_grad():
            for name, group in net.group.items():
                for d in range(2):
                    group.weight[d].copy_(get(f"{name}_weight{d + 1}"))
                    group.bias[d].copy_(get(f"{name}_bias{d + 1}"))
            net.code.weight.copy_(get("code_weight").T)
            net.code.bias.copy_(get("code_bias"))
            net.head.weight.copy_(get("head_weight")[None])
            net.head.bias.copy_(get("head_bias"))
        return net, f.nodes, f.operations, f.code_length


def read_batch(path, nodes, operations, code):
    lines = [[float(v) for v in line.split()] for line in open(path)]
    cells, masks, losses = np.array(lines[:-2]), [int(v) for v in lines[-2]], lines[-1]
    x = torch.eye(operations)[torch.tensor(cells[:, :nodes].astype(int))]
    a = torch.tensor([[float(row >> j & 1) for j in range(nodes)] for row in masks]).expand(len(cells), -1, -1)
    return a, x, torch.tensor(cells[:, nodes:nodes + code], dtype=torch.float32), torch.tensor(cells[:, -1], dtype=torch.float32), losses


def main():
    folder = sys.argv[1]
    net, nodes, operations, code = load(folder + "/weights.nc")
    a, x, codes, target, losses = read_batch(folder + "/batch.txt", nodes, operations, code)
    net.train()
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, eps=1e-7)
    huber = nn.HuberLoss(delta=0.5)

    def step():
        adam.zero_grad()
        coarse, fine = net(a, x, codes)
        loss = huber(coarse, target) + huber(fine, target)
        loss.backward()
        adam.step()
        return loss.item()

    for i, expected in enumerate(losses):
        # epsilon beside the uncorrected second moment, as Keras has it; PyTorch adds it to the corrected one
        adam.param_groups[0]["eps"] = 1e-7 / (1 - 0.999 ** (i + 1)) ** 0.5
        loss = step()
        if abs(loss - expected) > 1e-4 * abs(expected):
            sys.exit(f"peer: loss of step {i + 1} is {loss:.7g}, siamese-nas has {expected:.7g}")
    print(f"peer_loss: agrees over {len(losses)} steps (last {loss:.6g})")

    times = []
    for _ in range(9):
        begin = time.perf_counter()
        for _ in range(20):
            step()
        times.append((time.perf_counter() - begin) / 20 * 1e3)
    times.sort()
    median = times[len(times) // 2]
    print(f"train_step_torch: {median:.4g} ms (PyTorch {torch.__version__}, 1 thread, median of 9, {times[0]:.4g} to {times[-1]:.4g})")

    net.eval()
    many = 512
    with torch.no_grad():
        edges, features = a[:1].expand(many, -1, -1), x.repeat(many // len(x), 1, 1)
        codes = codes.repeat(many // len(codes), 1)
        rates = []
        for _ in range(9):
            begin = time.perf_counter()
            net(edges, features, codes)
            rates.append(many / (time.perf_counter() - begin))
    print(f"score_both_torch: {sorted(rates)[4]:.4g} cells/s (both branches, batches of {many})")
    if len(sys.argv) > 2:
        print(f"train_step_vs_torch: {median / float(sys.argv[2]):.3g} x")


if __name__ == "__main__":
    main()
