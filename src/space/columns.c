#include "columns.h"

#include "memory.h"
#include "space.h"
#include "status.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_INI = 190, FILE_MAX_INI = 1 << 20, ENTRIES_MAX = 5000 }; /* the library cuts lines of 200 characters without a word */

const char columns_nas_bench_201[] =
    "; The columns of nas-bench-201.csv: siamese-nas import nas-bench-201.csv -o nas-bench-201.nc\n"
    ";\n"
    "; A mapping like this one tells `siamese-nas import TABLE.csv --columns FILE` which column of a table means what.\n"
    "; Copy it for tables with other column names. This one is built in and needs no --columns.\n"
    "\n"
    "[table]\n"
    "title = NAS-Bench-201\n"
    "\n"
    "; NAME = COLUMN. Required: arch (NAS-Bench-201 arch strings) and at least one accuracy.DATASET, in percent.\n"
    "; Optional: id (without it cells are numbered from 0), validation_accuracy.DATASET, in percent, and early_loss,\n"
    "; a list of columns (a, b, c) or a range (a1..a50). Every other name makes a signal of that name, any number.\n"
    "; An empty field of the table means: not known.\n"
    "[columns]\n"
    "id = index\n"
    "arch = arch\n"
    "accuracy.cifar10 = c10_test200\n"
    "accuracy.cifar100 = c100_test200\n"
    "accuracy.imagenet16-120 = in16_test200\n"
    "validation_accuracy.cifar10 = c10_val200\n"
    "early_loss = loss_ep1..loss_ep50\n"
    "flops = flops_M\n"
    "params = params_M\n"
    "synflow = synflow_c10\n"
    "naswot = naswot_c10\n"
    "accuracy12_cifar10 = c10_test12\n"
    "accuracy12_cifar100 = c100_test12\n"
    "accuracy12_imagenet16_120 = in16_test12\n"
    "\n"
    "; Units of signals, as CF writes them: 1e6 = millions. Values are kept as they stand in the table.\n"
    "[units]\n"
    "flops = 1e6\n"
    "params = 1e6\n"
    "synflow = 1\n"
    "naswot = 1\n"
    "accuracy12_cifar10 = percent\n"
    "accuracy12_cifar100 = percent\n"
    "accuracy12_imagenet16_120 = percent\n"
    "\n"
    "[long_name]\n"
    "flops = multiply-adds per image, millions\n"
    "params = parameters, millions\n"
    "synflow = synaptic flow at initialisation, CIFAR-10 network\n"
    "naswot = NASWOT score at initialisation, CIFAR-10 network\n"
    "accuracy12_cifar10 = accuracy after 12 epochs, CIFAR-10\n"
    "accuracy12_cifar100 = accuracy after 12 epochs, CIFAR-100\n"
    "accuracy12_imagenet16_120 = accuracy after 12 epochs, ImageNet16-120\n";

static void destroy_entry(struct column_entry *e)
{
    free(e->name);
    free(e->column);
    free(e->units);
    free(e->long_name);
    free(e->where);
    *e = (struct column_entry){0};
}

void columns_destroy(struct columns *c)
{
    for (int i = 0; i < c->entries; i++) destroy_entry(&c->entry[i]);
    free(c->entry);
    free(c->title);
    free(c->source);
    *c = (struct columns){0};
}

/* ---- entries ---- */

static bool is_word(const char *name)
{
    if (!isalpha((unsigned char)name[0])) return false;
    while (isalnum((unsigned char)*name) || *name == '_') name++;
    return *name == '\0';
}

static int check_name(const char *name, const char *where)
{
    static const char *const taken[] = {"cell", "node", "node_to", "code", "dataset", "arch_length", "operation",
                                        "adjacency"};
    const char *dot = strchr(name, '.');
    size_t length = dot == NULL ? strlen(name) : (size_t)(dot - name);
    bool accuracy = (length == 8 && strncmp(name, "accuracy", 8) == 0) ||
                    (length == 19 && strncmp(name, "validation_accuracy", 19) == 0);
    if (accuracy && (dot == NULL || !space_is_dataset_name(dot + 1)))
        return status_fail(STATUS_INPUT, "%s: '%s' must name its data set: %.*s.DATASET", where, name, (int)length, name);
    if (accuracy) return STATUS_OK;
    if (!is_word(name))
        return status_fail(STATUS_INPUT, "%s: '%s' is no name for a variable; use letters, digits and underscores", where,
                           name);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (strcmp(name, taken[i]) == 0)
            return status_fail(STATUS_INPUT, "%s: a space file uses the name '%s' itself; take another one", where, name);
    return STATUS_OK;
}

static struct column_entry *find_entry(const struct columns *c, const char *name)
{
    for (int i = 0; i < c->entries; i++)
        if (strcmp(c->entry[i].name, name) == 0) return &c->entry[i];
    return NULL;
}

static int replace_text(char **text, const char *by)
{
    char *copy;
    TRY(memory_copy_text(&copy, by));
    free(*text);
    *text = copy;
    return STATUS_OK;
}

static int add_entry(struct columns *c, const char *name, const char *column, const char *where)
{
    TRY(check_name(name, where));
    if (column[0] == '\0') return status_fail(STATUS_INPUT, "%s: %s = : the name of the column is missing", where, name);
    if (c->entries == ENTRIES_MAX) return status_fail(STATUS_INPUT, "%s: more than %d columns are named", where, ENTRIES_MAX);
    TRY(memory_grow(&c->entry, (size_t)c->entries, (size_t)c->entries + 1, sizeof *c->entry));
    struct column_entry *e = &c->entry[c->entries];
    int status = memory_copy_text(&e->name, name);
    if (status == STATUS_OK) status = memory_copy_text(&e->column, column);
    if (status == STATUS_OK) status = memory_copy_text(&e->units, "");
    if (status == STATUS_OK) status = memory_copy_text(&e->long_name, "");
    if (status == STATUS_OK) status = memory_copy_text(&e->where, where);
    if (status == STATUS_OK) c->entries++;
    else destroy_entry(e);
    return status;
}

int columns_set(struct columns *c, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment)
        return status_fail(STATUS_INPUT, "--column '%s': write NAME=COLUMN, e.g. accuracy.cifar10=test_accuracy",
                           assignment);
    char *name;
    TRY(memory_copy_text(&name, assignment));
    name[equals - assignment] = '\0';
    struct column_entry *known = find_entry(c, name);
    int status;
    if (known == NULL) {
        status = add_entry(c, name, equals + 1, "--column");
    } else {
        status = replace_text(&known->column, equals + 1);
        if (status == STATUS_OK) status = replace_text(&known->where, "--column");
    }
    free(name);
    return status;
}

/* ---- ini ---- */

struct parsing {
    struct columns *columns;
    const char *source, *rest; /* what is still to read */
    int line;                  /* the one being parsed */
    int status;
};

static char *read_line(char *out, int size, void *stream)
{
    struct parsing *p = stream;
    if (p->rest[0] == '\0' || p->status != STATUS_OK) return NULL;
    int length = (int)strcspn(p->rest, "\n");
    p->line++;
    if (length > LINE_MAX_INI || length + 2 > size) {
        p->status = status_fail(STATUS_INPUT, "%s:%d: the line is too long; %d characters are the most", p->source, p->line,
                                LINE_MAX_INI);
        return NULL;
    }
    memcpy(out, p->rest, (size_t)length);
    out[length] = '\0';
    p->rest += length + (p->rest[length] == '\n');
    return out;
}

static int take_pair(struct parsing *p, const char *section, const char *name, const char *value)
{
    struct columns *c = p->columns;
    char where[1100];
    snprintf(where, sizeof where, "%.1000s:%d", p->source, p->line);
    struct column_entry *e = find_entry(c, name);
    if (strcmp(section, "table") == 0 && strcmp(name, "title") == 0) return replace_text(&c->title, value);
    if (strcmp(section, "columns") == 0) {
        if (e == NULL) return add_entry(c, name, value, where);
        return status_fail(STATUS_INPUT, "%s: '%s' is there twice, first at %s", where, name, e->where);
    }
    bool units = strcmp(section, "units") == 0;
    if (!units && strcmp(section, "long_name") != 0)
        return status_fail(STATUS_INPUT, "%s: unknown key [%s] %s; there are [table] title, [columns], [units], [long_name]",
                           where, section, name);
    if (e == NULL)
        return status_fail(STATUS_INPUT, "%s: [%s] %s: [columns] above has no such name", where, section, name);
    return replace_text(units ? &e->units : &e->long_name, value);
}

static int on_pair(void *user, const char *section, const char *name, const char *value)
{
    struct parsing *p = user;
    if (p->status == STATUS_OK) p->status = take_pair(p, section, name, value);
    return p->status == STATUS_OK;
}

int columns_parse(struct columns *c, const char *text, const char *source)
{
    TRY(replace_text(&c->source, source));
    struct parsing p = {.columns = c, .source = source, .rest = text};
    int line = ini_parse_stream(read_line, &p, on_pair, &p);
    if (p.status != STATUS_OK) return p.status;
    if (line < 0) return status_fail(STATUS_FAILURE, "out of memory while reading %s", source);
    if (line > 0) return status_fail(STATUS_INPUT, "%s:%d: this is neither [SECTION] nor NAME = VALUE", source, line);
    return STATUS_OK;
}

int columns_read(struct columns *c, const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) return status_fail(STATUS_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    char *text = NULL;
    int status = memory_alloc(&text, FILE_MAX_INI + 1, 1);
    if (status == STATUS_OK) {
        size_t length = fread(text, 1, FILE_MAX_INI, file);
        if (ferror(file)) status = status_fail(STATUS_INPUT, "%s: cannot be read: %s", path, strerror(errno));
        else if (length == FILE_MAX_INI || strlen(text) != length)
            status = status_fail(STATUS_INPUT, "%s: not an ini file", path);
    }
    fclose(file);
    if (status == STATUS_OK) status = columns_parse(c, text, path);
    free(text);
    return status;
}
