#include "space_read.h"

#include "memory.h"
#include "space_checksum.h"
#include "status.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { DATASETS_MAX = 1000, DATASET_NAME_MAX = 200 };

static int check_datasets(const struct space *s)
{
    for (int i = 0; i < s->datasets; i++) {
        if (!space_is_dataset_name(s->dataset[i]))
            return status_fail(STATUS_INPUT, "%s: dataset(%d) is '%s'; a name has no blanks, commas or colons", s->path, i,
                               s->dataset[i]);
        if (space_find_dataset(s, s->dataset[i]) != i)
            return status_fail(STATUS_INPUT, "%s: dataset has '%s' twice", s->path, s->dataset[i]);
    }
    return STATUS_OK;
}

/* The names of the data sets that `accuracy` has. */
static int read_datasets(struct space *s, struct netcdf_input *in, const struct netcdf_variable *accuracy)
{
    struct netcdf_variable v;
    bool found, several = accuracy->rank == 2;
    size_t datasets = several ? accuracy->length[0] : 1, count;
    TRY(netcdf_input_find(&v, &found, in, "dataset"));
    if (!found && !several) { /* one nameless data set */
        TRY(memory_alloc(&s->dataset, 1, sizeof *s->dataset));
        s->datasets = 1;
        return memory_copy_text(&s->dataset[0], "default");
    }
    if (!found)
        return status_fail(STATUS_INPUT, "%s: there is no variable dataset(dataset) with the names of the data sets of "
                           "accuracy", in->path);
    if (datasets > DATASETS_MAX)
        return status_fail(STATUS_INPUT, "%s: accuracy has %zu data sets, where %d are the most", in->path, datasets, DATASETS_MAX);
    TRY(netcdf_input_texts(&s->dataset, &count, &v, DATASET_NAME_MAX));
    s->datasets = (int)count;
    if (count != datasets || (several && (v.rank == 0 || v.dim[0] != accuracy->dim[0])))
        return space_read_wrong(&v, "dataset(dataset), the names of the data sets of accuracy(dataset, cell)");
    return check_datasets(s);
}

/* A space of which no accuracy is known has nothing that speaks of accuracies. */
static int has_accuracies(bool *found, struct netcdf_input *in)
{
    static const char *const name[] = {"accuracy", "validation_accuracy", "dataset"};
    struct netcdf_variable v;
    *found = false;
    for (size_t i = 0; i < sizeof name / sizeof name[0] && !*found; i++) TRY(netcdf_input_find(&v, found, in, name[i]));
    return STATUS_OK;
}

static int read_accuracies(struct space *s, struct netcdf_input *in, int cell_dim, bool validation)
{
    static const char shape[] = "accuracy(dataset, cell) or accuracy(cell) in percent";
    struct netcdf_variable v, w;
    bool found;
    TRY(has_accuracies(&found, in));
    if (!found) {
        s->checksum += space_checksum_datasets(s);
        return STATUS_OK;
    }
    TRY(space_read_find(&v, in, "accuracy", shape));
    if ((v.rank != 1 && v.rank != 2) || v.dim[v.rank - 1] != cell_dim || !netcdf_is_number(v.type) || v.length[0] < 1 ||
        v.length[0] > INT_MAX)
        return space_read_wrong(&v, shape);
    TRY(read_datasets(s, in, &v));
    TRY(netcdf_input_values(&s->accuracy, &v, NETCDF_PERCENT));
    s->checksum += space_checksum_datasets(s) + space_checksum_values("accuracy", s->accuracy, s->datasets, s->cells);
    TRY(netcdf_input_find(&w, &found, in, "validation_accuracy"));
    if (!found) return STATUS_OK;
    if (w.rank != v.rank || w.dim[0] != v.dim[0] || w.dim[w.rank - 1] != cell_dim || !netcdf_is_number(w.type))
        return space_read_wrong(&w, "over the same dimensions as accuracy, in percent");
    TRY(netcdf_input_values(&s->validation_accuracy, &w, NETCDF_PERCENT));
    s->checksum += space_checksum_values("validation_accuracy", s->validation_accuracy, s->datasets, s->cells);
    if (!validation) {
        free(s->validation_accuracy);
        s->validation_accuracy = NULL;
    }
    return STATUS_OK;
}

/* Keep the first `most` losses of each cell. */
static int shorten_losses(struct space *s, int most)
{
    double *loss;
    const size_t cells = (size_t)s->cells, from = (size_t)s->code_length, to = (size_t)most;
    TRY(memory_alloc(&loss, cells * to, sizeof *loss));
    for (size_t i = 0; i < cells; i++) memcpy(loss + i * to, s->early_loss + i * from, to * sizeof *loss);
    free(s->early_loss);
    s->early_loss = loss;
    s->code_length = most;
    return STATUS_OK;
}

/* The first `most` losses, 0 = all. */
static int read_early_loss(struct space *s, struct netcdf_input *in, int cell_dim, int most)
{
    struct netcdf_variable v;
    bool found;
    TRY(netcdf_input_find(&v, &found, in, "early_loss"));
    if (!found) return STATUS_OK;
    if (v.rank != 2 || v.dim[0] != cell_dim || !netcdf_is_number(v.type) || v.length[1] < 1 || v.length[1] > INT_MAX)
        return space_read_wrong(&v, "early_loss(cell, code)");
    TRY(netcdf_input_values(&s->early_loss, &v, NETCDF_FINITE));
    s->code_length = (int)v.length[1];
    s->checksum += space_checksum_values("early_loss", s->early_loss, s->cells, s->code_length);
    return most > 0 && most < s->code_length ? shorten_losses(s, most) : STATUS_OK;
}

static bool is_signal(const struct netcdf_variable *v, int cell_dim)
{
    static const char *const other[] = {"id", "cell", "accuracy", "validation_accuracy"};
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        if (strcmp(v->name, other[i]) == 0) return false;
    return v->rank == 1 && v->dim[0] == cell_dim && netcdf_is_number(v->type);
}

static int read_signal(struct space_signal *g, const struct netcdf_variable *v)
{
    TRY(memory_copy_text(&g->name, v->name));
    TRY(netcdf_input_attribute(&g->long_name, v->in, v->id, "long_name"));
    TRY(netcdf_input_attribute(&g->units, v->in, v->id, "units"));
    if (g->long_name == NULL) TRY(memory_copy_text(&g->long_name, ""));
    if (g->units == NULL) TRY(memory_copy_text(&g->units, ""));
    return netcdf_input_values(&g->value, v, NETCDF_FINITE);
}

/* Does `name` occur as a word in the text? */
static bool is_named(const char *text, const char *name)
{
    static const char between[] = " ,<>=!:";
    for (const char *at = text; *at != '\0';) {
        at += strspn(at, between);
        size_t length = strcspn(at, between);
        if (length == strlen(name) && memcmp(at, name, length) == 0) return true;
        at += length;
    }
    return false;
}

static int read_signals(struct space *s, struct netcdf_input *in, int cell_dim, const struct space_need *need)
{
    int variables = 0;
    int rc = nc_inq_nvars(in->file, &variables);
    if (rc != NC_NOERR) return status_fail(STATUS_INPUT, "%s: cannot read the header: %s", in->path, nc_strerror(rc));
    TRY(memory_alloc(&s->signal, (size_t)variables, sizeof *s->signal));
    for (int id = 0; id < variables; id++) {
        struct netcdf_variable v;
        TRY(netcdf_input_describe(&v, in, id));
        if (!is_signal(&v, cell_dim)) continue;
        struct space_signal *g = &s->signal[s->signals++];
        TRY(read_signal(g, &v));
        s->checksum += space_checksum_signal(g, s->cells);
        if (need == NULL || is_named(need->signals, g->name)) continue;
        space_signal_free(g);
        s->signals--;
    }
    return STATUS_OK;
}

int space_read_values(struct space *s, struct netcdf_input *in, int cell_dim, const struct space_need *need)
{
    TRY(read_accuracies(s, in, cell_dim, need == NULL || need->validation_accuracy));
    TRY(read_early_loss(s, in, cell_dim, need == NULL ? 0 : need->code_length));
    return read_signals(s, in, cell_dim, need);
}
