/* What a job would take on many ranks: the program's own schedule, played through with the seconds that its units took.
 *
 *     simulate JOB.ini TIMING.nc [--trials N] [--ranks-per-trial G] [--by-number] [--wait MS] [--answer US] [--start S] RANKS...
 *
 * TIMING.nc is the companion of the results of the same job, perhaps with fewer trials: trial i takes what trial i modulo these
 * took. --by-number: units as they are numbered, not the longest first. A request waits until the holder of the queue looks up from
 * its own unit (--wait, milliseconds), then for those before it (--answer, microseconds each). In a group of G ranks only ranking
 * and evaluation are shared, here without loss. One line for each number of ranks: units, seconds without and with those of the
 * start (--start), the part of ranks x seconds that one rank would need for all units, and three bounds that no schedule beats: that
 * work spread evenly, the longest unit, the holder's answers. */
#include "grid.h"
#include "memory.h"
#include "netcdf_input.h"
#include "status.h"
#include "timer.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model {
    struct job job;
    struct grid grid;
    int64_t *order;
    double *seconds;              /* [dataset][method][budget][measured][TIMER_PHASES] */
    int64_t measured, cells;      /* trials that were measured; cells of the space */
    double wait, answer, start;   /* seconds */
    int group;
};

static int read_timing(struct model *m, const char *path)
{
    int file, v, rank, dimension[NC_MAX_VAR_DIMS];
    size_t length[5];
    long long cells = 0;
    const struct grid *g = &m->grid;
    int code = nc_open(path, NC_NOWRITE, &file);
    if (code != NC_NOERR) return status_fail(STATUS_INPUT, "%s: %s", path, nc_strerror(code));
    code = nc_inq_varid(file, "seconds", &v);
    if (code == NC_NOERR) code = nc_inq_var(file, v, NULL, NULL, &rank, dimension, NULL);
    if (code == NC_NOERR && rank != 5) code = NC_EDIMSIZE;
    for (int i = 0; i < 5 && code == NC_NOERR; i++) code = nc_inq_dimlen(file, dimension[i], &length[i]);
    if (code == NC_NOERR) code = nc_get_att_longlong(file, NC_GLOBAL, "space_cells", &cells);
    if (code == NC_NOERR && (length[0] != (size_t)g->datasets || length[1] != (size_t)g->methods || length[2] != (size_t)g->budgets ||
                             length[4] != TIMER_PHASES))
        code = NC_EDIMSIZE;
    m->cells = cells;
    if (code == NC_NOERR) {
        m->measured = (int64_t)length[3];
        TRY(memory_alloc(&m->seconds, length[0] * length[1] * length[2] * length[3] * length[4], sizeof *m->seconds));
        code = nc_get_var_double(file, v, m->seconds);
    }
    nc_close(file);
    return code == NC_NOERR ? STATUS_OK
                            : status_fail(STATUS_INPUT, "%s is no timing file of %s: %s", path, m->job.path, nc_strerror(code));
}

static double duration(const struct model *m, int64_t id, int group)
{
    const struct unit u = grid_unit(&m->grid, id);
    const int64_t row = ((int64_t)u.dataset * m->grid.methods + u.method) * m->grid.budgets + u.budget;
    const double *s = m->seconds + (row * m->measured + u.realization % m->measured) * TIMER_PHASES;
    return s[TIMER_TRAIN] + s[TIMER_WRITE] + (s[TIMER_RANK] + s[TIMER_EVALUATE]) / group;
}

/* Let the first of a heap of times become later. */
static void delay_first(double *heap, int n, double until)
{
    int at = 0;
    for (int child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= until) break;
        heap[at] = heap[child];
    }
    heap[at] = until;
}

static int play(const struct model *m, int ranks)
{
    const int groups = m->group < ranks ? ranks / m->group : 1;
    double *ready, work = 0, longest = 0, end = 0, free_at = 0; /* free_at: the holder has answered all before */
    TRY(memory_alloc(&ready, (size_t)groups, sizeof *ready));
    for (int64_t i = 0; i < m->grid.units; i++) {
        const double seconds = duration(m, m->order[i], m->group), asked = ready[0] + (groups > 1 ? m->wait : 0);
        free_at = (asked > free_at ? asked : free_at) + (groups > 1 ? m->answer : 0);
        delay_first(ready, groups, free_at + seconds);
        if (free_at + seconds > end) end = free_at + seconds;
        if (seconds > longest) longest = seconds;
        work += duration(m, m->order[i], 1);
    }
    free(ready);
    const double answers = (double)(m->grid.units + groups) * m->answer;
    printf("%8d %9lld %11.2f %11.2f %8.1f %% %8.1f %% %11.2f %8.2f %8.2f\n", ranks, (long long)m->grid.units, end, end + m->start,
           100 * work / (ranks * end), 100 * work / (ranks * (end + m->start)), work / ranks, longest, answers);
    return STATUS_OK;
}

/* What the command line says beside the model. */
struct command_line {
    const char *path[2]; /* job, timing */
    char trials[64];     /* override of the job; "" = none */
    bool by_number;
    int ranks[64], count;
};

static int parse(struct command_line *c, struct model *m, int argc, char **argv)
{
    const struct { const char *name; double *value, unit; } option[] = {
        {"--wait", &m->wait, 1e-3}, {"--answer", &m->answer, 1e-6}, {"--start", &m->start, 1}};
    int paths = 0;
    for (int i = 1; i < argc; i++) {
        int o = 0;
        while (o < 3 && strcmp(argv[i], option[o].name) != 0) o++;
        const bool trials = strcmp(argv[i], "--trials") == 0, group = strcmp(argv[i], "--ranks-per-trial") == 0;
        if ((o < 3 || trials || group) && ++i == argc) return status_fail(STATUS_INPUT, "%s: which value?", argv[i - 1]);
        if (o < 3) *option[o].value = strtod(argv[i], NULL) * option[o].unit;
        else if (trials) snprintf(c->trials, sizeof c->trials, "experiment.trials=%s", argv[i]);
        else if (group) m->group = atoi(argv[i]);
        else if (strcmp(argv[i], "--by-number") == 0) c->by_number = true;
        else if (paths < 2) c->path[paths++] = argv[i];
        else if (c->count < 64 && atoi(argv[i]) > 0) c->ranks[c->count++] = atoi(argv[i]);
        else return status_fail(STATUS_INPUT, "%s is no number of ranks", argv[i]);
    }
    return paths == 2 && m->group > 0 ? STATUS_OK : status_fail(STATUS_INPUT, "simulate JOB.ini TIMING.nc [options] RANKS...");
}

static int simulate(int argc, char **argv)
{
    struct model m = {.group = 1};
    struct command_line c = {.count = 0};
    int64_t units;
    TRY(parse(&c, &m, argc, argv));
    const char *const override[] = {c.trials};
    TRY(job_read(&m.job, c.path[0], override, c.trials[0] != '\0', MPI_COMM_SELF));
    TRY(grid_create(&m.grid, &m.job));
    TRY(read_timing(&m, c.path[1]));
    TRY(memory_alloc(&m.order, (size_t)m.grid.units, sizeof *m.order));
    TRY(grid_schedule(m.order, &units, &m.grid, &m.job, m.cells, NULL));
    for (int64_t i = 0; i < units && c.by_number; i++) m.order[i] = i;
    puts("   ranks     units     seconds  with start efficiency with start   work/ranks  longest  answers");
    for (int i = 0; i < c.count; i++) TRY(play(&m, c.ranks[i]));
    free(m.order);
    free(m.seconds);
    job_destroy(&m.job);
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    const int status = simulate(argc, argv);
    if (status != STATUS_OK) fprintf(stderr, "simulate: %s\n", status_message());
    MPI_Finalize();
    return status;
}
