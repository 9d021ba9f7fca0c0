#include "cmd.h"
#include "file.h"
#include "import.h"
#include "log.h"
#include "memory.h"
#include "space.h"
#include "space_file.h"
#include "status.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char cmd_import_help[] =
    "usage: siamese-nas import TABLE.csv -o SPACE.nc [--columns FILE] [--column NAME=COLUMN]...\n"
    "       siamese-nas import CELLS -o SPACE.nc [--dataset NAME] [--vocabulary a,b,c]\n"
    "       siamese-nas import SPACE.nc -o PART.nc --filter EXPRESSION\n"
    "\n"
    "Make a space file from a table of NAS-Bench-201 cells, from published JSON cells (a directory with one cell a file,\n"
    "or one file of cells), or from another space file. Tables of other cells: jobs/make_space.py.\n"
    "\n"
    "  -o, --output FILE       the space file to write\n"
    "      --columns FILE      ini file: which column of the table means what; inputs/nas-bench-201.ini shows how.\n"
    "                          Without it and without --column: the columns of nas-bench-201.csv\n"
    "      --column NAME=COLUMN  the same for one column: id, arch, accuracy.DATASET, validation_accuracy.DATASET,\n"
    "                          early_loss (a list a,b or a range a1..a50) or the name of a signal; repeatable\n"
    "      --dataset NAME      the data set that the accuracies of JSON cells belong to (default: default)\n"
    "      --vocabulary a,b,c  the operations of JSON cells in order (default: as published, else sorted)\n"
    "      --filter EXPRESSION keep the cells that satisfy VARIABLE OP NUMBER, OP one of < <= > >= == !=, VARIABLE a\n"
    "                          signal, id, accuracy:DATASET, validation_accuracy:DATASET or early_loss:EPOCH; repeatable,\n"
    "                          all must hold. Tiny-NASBench-201 is --filter 'flops<35'\n"
    "      --title TEXT        title of the space\n"
    "  -h, --help              this text\n";

enum { COLUMNS = 256, COLUMN, DATASET, VOCABULARY, FILTER, TITLE };

static const struct option option[] = {
    {"output", required_argument, NULL, 'o'},        {"columns", required_argument, NULL, COLUMNS},
    {"column", required_argument, NULL, COLUMN},     {"dataset", required_argument, NULL, DATASET},
    {"vocabulary", required_argument, NULL, VOCABULARY}, {"filter", required_argument, NULL, FILTER},
    {"title", required_argument, NULL, TITLE},       {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct arguments {
    const char *input, *output, *columns, *title;
    struct import_json_options json;
    const char **column, **filter; /* [argc] each */
    int column_count, filters;
    bool help;
};

static int parse(struct arguments *a, int argc, char **argv)
{
    int result;
    optind = 0; /* start over */
    opterr = 0;
    while ((result = getopt_long(argc, argv, ":o:h", option, NULL)) != -1) {
        switch (result) {
        case 'o': a->output = optarg; break;
        case 'h': a->help = true; return STATUS_OK;
        case COLUMNS: a->columns = optarg; break;
        case COLUMN: a->column[a->column_count++] = optarg; break;
        case DATASET: a->json.dataset = optarg; break;
        case VOCABULARY: a->json.vocabulary = optarg; break;
        case FILTER: a->filter[a->filters++] = optarg; break;
        case TITLE: a->title = optarg; break;
        default: return cmd_option_error(result, argv);
        }
    }
    if (optind != argc - 1)
        return status_fail(STATUS_INPUT, "import: give one table (.csv), folder of JSON cells or space file (.nc), not %d; see siamese-nas import "
                           "--help", argc - optind);
    a->input = argv[optind];
    if (a->output == NULL || a->output[0] == '\0') return status_fail(STATUS_INPUT, "import: -o SPACE.nc is missing");
    TRY(file_check_distinct(a->output, a->input));
    if (a->json.dataset != NULL && !space_is_dataset_name(a->json.dataset))
        return status_fail(STATUS_INPUT, "import: --dataset '%s': a name has no blanks, commas or colons", a->json.dataset);
    return STATUS_OK;
}

/* ---- input ---- */

enum kind { KIND_CSV, KIND_JSON, KIND_SPACE };

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* By name where the name is clear, else by the first bytes. */
static int find_kind(enum kind *kind, const char *path)
{
    struct stat file;
    if (stat(path, &file) != 0) return status_fail(STATUS_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    *kind = KIND_JSON;
    if (S_ISDIR(file.st_mode) || ends_with(path, ".json")) return STATUS_OK;
    *kind = KIND_SPACE;
    if (ends_with(path, ".nc")) return STATUS_OK;
    *kind = KIND_CSV;
    if (ends_with(path, ".csv")) return STATUS_OK;
    char first[4] = "";
    FILE *stream = fopen(path, "r");
    if (stream == NULL) return status_fail(STATUS_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    size_t length = fread(first, 1, sizeof first, stream);
    fclose(stream);
    if (length > 0 && (first[0] == '{' || first[0] == '[')) *kind = KIND_JSON;
    if (length == 4 && (memcmp(first, "\211HDF", 4) == 0 || memcmp(first, "CDF", 3) == 0)) *kind = KIND_SPACE;
    return STATUS_OK;
}

static int check_use(const struct arguments *a, enum kind kind)
{
    if (kind != KIND_CSV && (a->columns != NULL || a->column_count > 0))
        return status_fail(STATUS_INPUT, "import: --columns and --column are for tables (CSV), and %s is none", a->input);
    if (kind != KIND_JSON && (a->json.dataset != NULL || a->json.vocabulary != NULL))
        return status_fail(STATUS_INPUT, "import: --dataset and --vocabulary are for JSON cells, and %s has none", a->input);
    return STATUS_OK;
}

static int find_columns(struct columns *c, const struct arguments *a)
{
    if (a->columns != NULL) TRY(columns_read(c, a->columns));
    else if (a->column_count == 0) TRY(columns_parse(c, columns_nas_bench_201, "built-in mapping of nas-bench-201.csv"));
    for (int i = 0; i < a->column_count; i++) TRY(columns_set(c, a->column[i]));
    return STATUS_OK;
}

static int read_table(struct space *s, const struct arguments *a)
{
    struct columns columns = {0};
    int status = find_columns(&columns, a);
    if (status == STATUS_OK) status = import_csv(s, a->input, &columns);
    columns_destroy(&columns);
    return status;
}

static int read_input(struct space *s, const struct arguments *a)
{
    enum kind kind = KIND_CSV;
    TRY(find_kind(&kind, a->input));
    TRY(check_use(a, kind));
    switch (kind) {
    case KIND_CSV: return read_table(s, a);
    case KIND_JSON: return import_json_cells(s, a->input, &a->json);
    case KIND_SPACE: break;
    }
    return space_file_read(s, a->input);
}

/* ---- output ---- */

static int filter(struct space *s, const struct arguments *a)
{
    for (int i = 0; i < a->filters; i++) {
        int64_t before = s->cells;
        TRY(space_filter(s, a->filter[i]));
        log_info("filter %s: %lld of %lld cells", a->filter[i], (long long)s->cells, (long long)before);
    }
    return STATUS_OK;
}

static int import(const struct arguments *a, const char *history)
{
    struct space s = {0};
    int status;
    TRY_DONE(read_input(&s, a));
    TRY_DONE(filter(&s, a));
    if (a->title != NULL) TRY_DONE(space_set_title(&s, a->title));
    TRY_DONE(space_file_write(&s, a->output, history));
    log_info("%s: cells %lld, nodes %d, operations %d, data sets %d, losses %d, signals %d, checksum %016llx", a->output,
             (long long)s.cells, s.nodes, s.operations, s.datasets, s.code_length, s.signals,
             (unsigned long long)s.checksum);
done:
    space_destroy(&s);
    return status;
}

int cmd_import(int argc, char **argv)
{
    struct arguments a = {0};
    char *history = NULL;
    int status;
    TRY_DONE(cmd_line(&history, argc, argv));
    TRY_DONE(memory_alloc(&a.column, (size_t)argc, sizeof *a.column));
    TRY_DONE(memory_alloc(&a.filter, (size_t)argc, sizeof *a.filter));
    TRY_DONE(parse(&a, argc, argv));
    if (a.help) fputs(cmd_import_help, stdout);
    else status = import(&a, history);
done:
    free(a.column);
    free(a.filter);
    free(history);
    return status;
}
