#!/usr/bin/python3
"""counts.py QUESTION FILE...: what the lines of mpi_count.c say; each FILE is one run. Exit status 1 and a line for each rank that
is out of line.

queue      FILES of one job with groups of one rank, for different numbers of ranks; the first two are of one rank, the second
           with more trials: their difference tells what a unit writes
collective FILES of one job on different numbers of ranks, 2 or more
memory     two FILES of one job on few and on many ranks
ranking    RANKINGS MOST UNITS, then FILES in sixes, each on one group of P ranks: trials t and t + UNITS of a small space and of
           a large one, and the cells of both spaces
table      one line a FILE"""
import sys

WIRE = ("Send", "Isend", "Recv", "Irecv", "Imrecv", "Sendrecv") # point to point
wrong = 0


def read(path):
    """List over ranks of {"Send.calls": 12, ...}."""
    ranks = [{k: float(v) for k, v in (w.split("=") for w in line.split())} for line in open(path)]
    ranks.sort(key=lambda r: r["rank"])
    assert len(ranks) == ranks[0]["ranks"] > 0, f"{path}: a rank is missing"
    assert [r["rank"] for r in ranks] == list(range(len(ranks))), path
    return ranks


def expect(what, found, wanted):
    global wrong
    if found != wanted:
        wrong += 1
        print(f"{what}: {found}, expected {wanted}")


def at_most(what, found, limit):
    global wrong
    if not found <= limit:
        wrong += 1
        print(f"{what}: {found}, expected at most {limit}")


def collectives(rank):
    return [k.split(".")[0] for k in rank if k.endswith(".calls") and not k.startswith(("File_read", "File_write") + WIRE)]


def queue(paths):
    """Two messages of 4 and 8 bytes a unit for whoever computes it, two more for the end of every rank but the holder, and none on
    one rank. How many units a rank computed is seen in what it wrote."""
    fewer, more = read(paths[0])[0], read(paths[1])[0]
    writes = lambda r: r["File_write_at.calls"]
    units = {path: int(path.split("-")[-1]) for path in paths} # NAME-RANKS-UNITS
    unit = (writes(more) - writes(fewer)) / (units[paths[1]] - units[paths[0]])
    computed = lambda r: writes(r) // unit # some ranks write a little more when the files are closed
    expect("writes of a unit are a whole number", unit, int(unit))
    expect("units that one rank wrote", computed(fewer), units[paths[0]])
    for path in paths:
        ranks = read(path)
        asked = 0
        for r in ranks:
            name = f"{path}, rank {r['rank']:.0f}: "
            for kind in ("Isend", "Imrecv", "Sendrecv") + (("Recv",) if r["rank"] == 0 else ("Irecv",)):
                expect(name + kind, r[kind + ".calls"], 0)
            if r["rank"] == 0: continue
            requests = computed(r) + 1
            expect(name + "requests", r["Send.calls"], requests)
            expect(name + "answers", r["Recv.calls"], requests)
            expect(name + "bytes", (r["Send.sent"], r["Recv.received"]), (4 * requests, 8 * requests))
            asked += requests
        holder = ranks[0]
        expect(path + ": units of all ranks", computed(holder) + asked - (len(ranks) - 1), units[path])
        expect(path + ": the holder hears", holder["Irecv.calls"], asked)
        expect(path + ": the holder answers", (holder["Send.calls"], holder["Send.sent"]), (asked, 8 * asked))


def collective(paths):
    """As many collectives, with as many bytes, on every rank and for any number of ranks; files are opened with as many reads."""
    first = read(paths[0])
    for path in paths:
        for r in read(path):
            name = f"{path}, rank {r['rank']:.0f}: "
            like = first[min(int(r["rank"]), 1)] # of rank 0, or of any other
            for kind in collectives(r):
                for field in (".calls", ".sent", ".received"): expect(name + kind + field, r[kind + field], like[kind + field])
            at_most(name + "reads", r["File_read_at.calls"], 1.1 * like["File_read_at.calls"])
            at_most(name + "bytes read", r["File_read_at.received"], 1.1 * like["File_read_at.received"])


def memory(paths):
    """Private memory, in kB. The holder may keep a little more: MPI does, of messages that come in faster than they are taken."""
    few, many = read(paths[0]), read(paths[1])
    at_most("memory of the holder", many[0]["anon"], few[0]["anon"] + 1024)
    at_most("memory of the others", max(r["anon"] for r in many[1:]), max(r["anon"] for r in few[1:]) + 768)


def ranking(words):
    """For each unit: log2 P exchanges of a top set for each ranking, as many collectives for any space, and the scores of all cells
    once, to rank 0, along a tree."""
    rankings, most, units = int(words[0]), int(words[1]), int(words[2])
    words = words[3:]
    while words:
        files, cells, words = words[:4], [int(w) for w in words[4:6]], words[6:]
        runs = [read(f) for f in files]
        size = len(runs[0])
        steps = size.bit_length() - 1 # of the power of two not above P
        rest = size - (1 << steps)
        for rank in range(size):
            a_unit = [{k: (longer[rank][k] - shorter[rank][k]) / units for k in shorter[rank]} for shorter, longer in (runs[:2], runs[2:])]
            name = f"{size} ranks, rank {rank}: "
            for kind in collectives(a_unit[0]):
                for field in (".calls", ".sent", ".received"):
                    expect(name + kind + field + " a unit, of a larger space", a_unit[1][kind + field], a_unit[0][kind + field])
            for n, u in zip(cells, a_unit):
                leads = rank < size - rest
                expect(name + "exchanges", u["Sendrecv.calls"], rankings * steps if leads else 0)
                expect(name + "bytes exchanged", u["Sendrecv.sent"], 16 * most * rankings * steps if leads else 0)
                helps = rankings if rank < rest or not leads else 0 # the ranks beyond the power of two, and their partners
                expect(name + "messages sent", u["Send.calls"], helps + (rank > 0))
                if rank == 0:
                    expect(name + "messages taken", u["Recv.calls"], helps + (size - 1).bit_length())
                    at_most(name + "bytes taken", u["Recv.received"], 16 * most * helps + 8 * n)


def table(paths):
    print(f"{'ranks':>6} {'messages':>9} {'of rank 0':>9} {'Bcast':>6} {'Allreduce':>9} {'barriers':>8} {'reads':>6} {'kB read':>8}"
          f" {'private kB, rank 0':>18} {'others':>7} {'shared':>7} {'peak':>7}")
    for path in paths:
        r = read(path)
        sent = lambda x: x["Send.calls"] + x["Sendrecv.calls"]
        last = r[-1]
        print(f"{len(r):6} {sum(map(sent, r)):9.0f} {sent(r[0]):9.0f} {last['Bcast.calls']:6.0f} {last['Allreduce.calls'] + last['Iallreduce.calls']:9.0f}"
              f" {last['Barrier.calls'] + last['Ibarrier.calls']:8.0f} {last['File_read_at.calls']:6.0f}"
              f" {last['File_read_at.received'] / 1e3:8.1f} {r[0]['anon']:18.0f} {max(x['anon'] for x in r[1:] or r):7.0f}"
              f" {max(x['shared'] for x in r):7.0f} {max(x['peak'] for x in r):7.0f}")


{f.__name__: f for f in (queue, collective, memory, ranking, table)}[sys.argv[1]](sys.argv[2:])
sys.exit(wrong > 0)
