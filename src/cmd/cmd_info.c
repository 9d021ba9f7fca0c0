#include "checksum.h"
#include "cmd.h"
#include "memory.h"
#include "space.h"
#include "space_file.h"
#include "status.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_info_help[] =
    "usage: siamese-nas info SPACE.nc\n"
    "\n"
    "Print what is in a space file: cells, operations, the best cell of each data set, ranges, missing values.\n"
    "\n"
    "  -h, --help   this text\n";

/* ---- distinct cells ---- */

static int compare_graphs(const struct space *s, int64_t a, int64_t b)
{
    if (s->graph_of == NULL || s->graph_of[a] == s->graph_of[b]) return 0;
    return s->graph_of[a] < s->graph_of[b] ? -1 : 1;
}

static bool same_cell(const struct space *s, int64_t a, int64_t b)
{
    size_t nodes = (size_t)s->nodes;
    return compare_graphs(s, a, b) == 0 && memcmp(s->operation + a * s->nodes, s->operation + b * s->nodes, nodes) == 0;
}

static uint64_t hash_cell(const struct space *s, int64_t cell)
{
    uint64_t h = CHECKSUM_BEGIN;
    checksum_add_number(&h, s->graph_of == NULL ? 0 : s->graph_of[cell]);
    checksum_add(&h, s->operation + cell * s->nodes, (size_t)s->nodes);
    return h ^ h >> 31;
}

/* Cells that differ in adjacency or operations. */
static int count_distinct(int64_t *distinct, const struct space *s)
{
    uint64_t slots = 16;
    while (slots < 2 * (uint64_t)s->cells) slots *= 2;
    int64_t *slot; /* cell + 1, 0 = free */
    TRY(memory_alloc(&slot, slots, sizeof *slot));
    *distinct = 0;
    for (int64_t cell = 0; cell < s->cells; cell++) {
        uint64_t at = hash_cell(s, cell) & (slots - 1);
        while (slot[at] != 0 && !same_cell(s, slot[at] - 1, cell)) at = (at + 1) & (slots - 1);
        *distinct += slot[at] == 0;
        slot[at] = cell + 1;
    }
    free(slot);
    return STATUS_OK;
}

/* ---- ranges ---- */

struct summary {
    int64_t known, best; /* best: the first cell with the largest value, -1 when nothing is known */
    double low, median, high;
};

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* `sorted` is room for `count` values. */
static struct summary summarise(const double *value, int64_t count, double *sorted)
{
    struct summary r = {.best = -1, .low = NAN, .median = NAN, .high = NAN};
    for (int64_t i = 0; i < count; i++) {
        if (isnan(value[i])) continue;
        sorted[r.known++] = value[i];
        if (r.best < 0 || value[i] > value[r.best]) r.best = i;
    }
    if (r.known == 0) return r;
    qsort(sorted, (size_t)r.known, sizeof *sorted, by_value);
    r.low = sorted[0];
    r.high = sorted[r.known - 1];
    r.median = (sorted[(r.known - 1) / 2] + sorted[r.known / 2]) / 2;
    return r;
}

static void print_numbers(const char *name, int64_t cells, const struct summary *r)
{
    printf("  %-28s %8lld %8lld", name, (long long)r->known, (long long)(cells - r->known));
    if (r->known == 0) printf(" %12s %12s %12s", "-", "-", "-");
    else printf(" %12.6g %12.6g %12.6g", r->low, r->median, r->high);
}

static void print_cell(const struct space *s, int64_t cell)
{
    printf("  %lld", (long long)s->id[cell]);
    if (s->arch != NULL) {
        printf(" %.*s", s->arch_length, s->arch + cell * s->arch_length);
        return;
    }
    for (int i = 0; i < s->nodes; i++)
        printf("%s%s", i == 0 ? " " : ",", s->vocabulary[s->operation[cell * s->nodes + i]]);
}

static void print_head(const char *what, const char *rest)
{
    printf("\n  %-28s %8s %8s %12s %12s %12s  %s\n", what, "known", "missing", "min", "median", "max", rest);
}

static void print_accuracy(const struct space *s, const double *value, const char *suffix, double *sorted)
{
    for (int d = 0; value != NULL && d < s->datasets; d++) {
        char name[256];
        struct summary r = summarise(value + d * s->cells, s->cells, sorted);
        snprintf(name, sizeof name, "%s%s", s->dataset[d], suffix);
        print_numbers(name, s->cells, &r);
        if (r.best >= 0) print_cell(s, r.best);
        putchar('\n');
    }
}

static void print_signals(const struct space *s, double *sorted)
{
    if (s->signals == 0) return;
    print_head("signal", "units, meaning");
    for (int i = 0; i < s->signals; i++) {
        const struct space_signal *g = &s->signal[i];
        struct summary r = summarise(g->value, s->cells, sorted);
        print_numbers(g->name, s->cells, &r);
        printf("  %s%s%s\n", g->units[0] ? g->units : "-", g->long_name[0] ? ", " : "", g->long_name);
    }
}

static void print_losses(const struct space *s, double *sorted)
{
    if (s->code_length == 0) {
        printf("  early losses   none\n");
        return;
    }
    int64_t complete = 0, none = 0;
    for (int64_t i = 0; i < s->cells; i++) {
        struct summary r = summarise(s->early_loss + i * s->code_length, s->code_length, sorted);
        complete += r.known == s->code_length;
        none += r.known == 0;
    }
    printf("  early losses   of %d epochs: all known for %lld cells, some for %lld, none for %lld\n", s->code_length,
           (long long)complete, (long long)(s->cells - complete - none), (long long)none);
}

/* ---- the whole ---- */

static void print_structure(const struct space *s, int64_t distinct)
{
    printf("%s%s%s\n", s->path, s->title[0] ? ": " : "", s->title);
    printf("  cells          %lld, of which %lld differ in adjacency or operations\n", (long long)s->cells,
           (long long)distinct);
    printf("  nodes          %d a cell\n", s->nodes);
    printf("  operations     %d:", s->operations);
    for (int i = 0; i < s->operations; i++) printf("%s %s", i == 0 ? "" : ",", s->vocabulary[i]);
    if (s->graph_of == NULL) printf("\n  adjacency      shared by all cells\n");
    else printf("\n  adjacency      per cell, %lld different\n", (long long)s->graphs);
}

static int info(const char *path)
{
    struct space s = {0};
    double *sorted = NULL;
    int64_t distinct;
    int status;
    TRY_DONE(space_file_read(&s, path));
    TRY_DONE(count_distinct(&distinct, &s));
    TRY_DONE(memory_alloc(&sorted, (size_t)(s.cells > s.code_length ? s.cells : s.code_length), sizeof *sorted));
    print_structure(&s, distinct);
    print_losses(&s, sorted);
    printf("  memory         %.1f MB\n", (double)space_memory(&s) / 1e6);
    printf("  checksum       %016llx\n", (unsigned long long)s.checksum);
    if (s.datasets == 0) printf("\n  accuracy       none\n");
    else print_head("accuracy, percent", "best cell");
    print_accuracy(&s, s.accuracy, "", sorted);
    print_accuracy(&s, s.validation_accuracy, " validation", sorted);
    print_signals(&s, sorted);
done:
    space_destroy(&s);
    free(sorted);
    return status;
}

int cmd_info(int argc, char **argv)
{
    static const struct option option[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int result;
    optind = 0; /* start over */
    opterr = 0;
    while ((result = getopt_long(argc, argv, ":h", option, NULL)) != -1) {
        if (result != 'h') return cmd_option_error(result, argv);
        fputs(cmd_info_help, stdout);
        return STATUS_OK;
    }
    if (optind == argc) return status_fail(STATUS_INPUT, "info: which space file? siamese-nas info --help says more");
    if (optind < argc - 1)
        return status_fail(STATUS_INPUT, "info: one space file, please, not %d; see siamese-nas info --help", argc - optind);
    return info(argv[optind]);
}
