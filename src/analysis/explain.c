#include "explain.h"

#include "memory.h"
#include "parameters.h"
#include "report_internal.h"
#include "results_verify.h"
#include "status.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- which trial ---- */

static void name_method(char name[METHOD_NAME_MAX], const struct results_input *f, int m)
{
    struct method method;
    if (method_of(&method, f->predictor[m], f->sampler[m])) method_name(name, method);
    else snprintf(name, METHOD_NAME_MAX, "%.18s+%.18s", f->predictor[m], f->sampler[m]); /* of another version */
}

static int fail_choice(const struct results_input *f, const char *what, const char *wanted, const char *const *has, int count)
{
    char *list;
    TRY(memory_join(&list, has, count, ", "));
    const int status = status_fail(STATUS_INPUT, "%s: no %s %s; it has %s", f->in.path, what, wanted, list);
    free(list);
    return status;
}

static int find_dataset(size_t *place, const struct results_input *f, const char *name)
{
    *place = 0;
    if (name == NULL) return STATUS_OK;
    for (int d = 0; d < f->datasets; d++)
        if (strcmp(f->dataset[d], name) == 0) {
            *place = (size_t)d;
            return STATUS_OK;
        }
    return fail_choice(f, "data set", name, (const char *const *)f->dataset, f->datasets);
}

static int find_method(size_t *place, const struct results_input *f, const char *wanted)
{
    char(*name)[METHOD_NAME_MAX];
    const char **list;
    *place = (size_t)f->methods - 1;
    if (wanted == NULL) return STATUS_OK;
    TRY(memory_alloc(&name, (size_t)f->methods, sizeof *name));
    int status = memory_alloc(&list, (size_t)f->methods, sizeof *list);
    bool found = false;
    for (int m = 0; m < f->methods && status == STATUS_OK; m++) {
        name_method(name[m], f, m);
        list[m] = name[m];
        if (strcmp(name[m], wanted) != 0) continue;
        *place = (size_t)m;
        found = true;
    }
    if (status == STATUS_OK && !found) status = fail_choice(f, "method", wanted, list, f->methods);
    free(list);
    free(name);
    return status;
}

static int find_budget(size_t *place, const struct results_input *f, int n)
{
    int largest = 0;
    for (int b = 0; b < f->budgets; b++) {
        if (f->budget[b] > f->budget[largest]) largest = b;
        if ((int)f->budget[b] != n) continue;
        *place = (size_t)b;
        return STATUS_OK;
    }
    *place = (size_t)largest;
    if (n == 0) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: no N = %d; it has N = %g to %g in %d steps", f->in.path, n, f->budget[0],
                       f->budget[f->budgets - 1], f->budgets);
}

static int find_trial(size_t place[4], const struct results_input *f, const struct explain_choice *c)
{
    TRY(find_dataset(&place[0], f, c->dataset));
    TRY(find_method(&place[1], f, c->method));
    TRY(find_budget(&place[2], f, c->n));
    if (c->trial < f->first_trial || c->trial >= f->first_trial + f->trials)
        return status_fail(STATUS_INPUT, "%s: no trial %d; it has trials %d to %d", f->in.path, c->trial, f->first_trial,
                           f->first_trial + f->trials - 1);
    place[3] = (size_t)(c->trial - f->first_trial);
    return STATUS_OK;
}

static int find_k(struct explanation *e, int k)
{
    int *job_k, ks;
    TRY(report_job_ks(&job_k, &ks, &e->file));
    e->k = k > 0 ? k : job_k[ks - 1];
    free(job_k);
    if (e->k <= e->file.k_max) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: K = %d was asked for, but its curves end at K = %d (evaluation.K_max)", e->file.in.path, e->k,
                       e->file.k_max);
}

/* ---- its record ---- */

/* `length` numbers of a variable; fill values of whole numbers are -1, of which no number here makes sense: NaN. */
static int read_numbers(double *out, const struct explanation *e, enum results_variable v, const size_t place[4], size_t length)
{
    const size_t start[5] = {place[0], place[1], place[2], place[3], 0}, count[5] = {1, 1, 1, 1, length};
    const int code = nc_get_vara_double(e->file.in.file, e->file.variable[v], start, count, out);
    if (code != NC_NOERR)
        return status_fail(STATUS_INPUT, "%s: cannot read %s: %s", e->file.in.path, results_name[v], nc_strerror(code));
    for (size_t i = 0; i < length; i++)
        if (out[i] == -1) out[i] = NAN;
    return STATUS_OK;
}

static int read_count(int *out, const struct explanation *e, enum results_variable v, const size_t place[4], int most)
{
    double number;
    TRY(read_numbers(&number, e, v, place, 1));
    *out = number >= 0 && number <= most ? (int)number : 0;
    return STATUS_OK;
}

static int read_record(struct explanation *e, const size_t place[4])
{
    const struct results_input *f = &e->file;
    const size_t pool = (size_t)f->pool, query = (size_t)f->query, k = (size_t)f->k_max;
    const struct {
        double **out;
        enum results_variable variable;
        size_t length;
    } part[] = {
        {&e->pool_cell, RESULT_POOL, pool}, {&e->pool_score, RESULT_POOL_SCORE, pool}, {&e->cell, RESULT_QUERY, query},
        {&e->accuracy, RESULT_QUERY_ACCURACY, query}, {&e->label, RESULT_QUERY_LABEL, query}, {&e->cost, RESULT_QUERY_COST, query},
        {&e->chosen, RESULT_CHOSEN, k}, {&e->chosen_accuracy, RESULT_CHOSEN_ACCURACY, k}, {&e->score, RESULT_CHOSEN_SCORE, k},
        {&e->place, RESULT_CHOSEN_PLACE, k}, {&e->best, RESULT_BEST, k},
    };
    double complete;
    TRY(read_numbers(&complete, e, RESULT_COMPLETE, place, 1));
    if (complete != 1)
        return status_fail(STATUS_INPUT, "%s: trial %d of %s, %s, N = %d is not finished", f->in.path, e->trial, f->dataset[e->dataset],
                           e->method, e->n);
    TRY(read_count(&e->pool, e, RESULT_POOL_SIZE, place, f->pool));
    TRY(read_count(&e->queries, e, RESULT_QUERIES, place, f->query));
    TRY(read_count(&e->codes, e, RESULT_CODES, place, INT32_MAX));
    TRY(memory_alloc(&e->value, 2 * pool + 4 * query + 5 * k, sizeof *e->value));
    double *next = e->value;
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        *part[i].out = next;
        TRY(read_numbers(next, e, part[i].variable, place, part[i].length));
        next += part[i].length;
    }
    return STATUS_OK;
}

void explain_find_before(struct explanation *e)
{
    e->before = e->queries;
    for (int k = e->file.k_max - 1; k >= 0 && e->before > 0; k--)
        if (e->chosen[k] == e->cell[e->before - 1]) e->before--;
}

static bool is_part(const char *path)
{
    const size_t length = strlen(path), end = strlen(".part");
    return length >= end && strcmp(path + length - end, ".part") == 0;
}

int explain_read(struct explanation *out, const char *path, const struct explain_choice *choice)
{
    size_t place[4];
    int status;
    *out = (struct explanation){.trial = choice->trial};
    TRY(results_input_open(&out->file, path));
    TRY_DONE(find_trial(place, &out->file, choice));
    out->dataset = (int)place[0];
    out->n = (int)out->file.budget[place[2]];
    name_method(out->method, &out->file, (int)place[1]);
    TRY_DONE(find_k(out, choice->k));
    TRY_DONE(read_record(out, place));
    if (!is_part(path)) TRY_DONE(results_verify_all(&out->file.in));
    explain_find_before(out);
done:
    if (status != STATUS_OK) explain_destroy(out);
    return status;
}

void explain_destroy(struct explanation *e)
{
    results_input_close(&e->file);
    free(e->value);
    *e = (struct explanation){0};
}

int explain_winner(const struct explanation *e)
{
    int winner = -1;
    for (int k = 0; k < e->k; k++)
        if (!isnan(e->chosen_accuracy[k]) && (winner < 0 || e->chosen_accuracy[k] > e->chosen_accuracy[winner])) winner = k;
    return winner;
}

/* ---- its space ---- */

int explain_space_name(char **out, const struct explanation *e)
{
    const char *line = parameters_find(e->file.facts, "space.file");
    const size_t length = line == NULL ? 0 : strcspn(line, "\n");
    TRY(memory_alloc(out, length + 1, 1));
    memcpy(*out, line == NULL ? "" : line, length);
    return STATUS_OK;
}

int explain_use_space(struct explanation *e, const struct space *space)
{
    char mine[24], cells[24];
    snprintf(mine, sizeof mine, "%016" PRIx64, space->checksum);
    snprintf(cells, sizeof cells, "%016" PRIx64, space_cells_checksum(space)); /* a live search: its space learns while it runs */
    if (strcmp(e->file.text[RESULTS_SPACE_CHECKSUM], mine) != 0 && strcmp(e->file.text[RESULTS_SPACE_CHECKSUM], cells) != 0)
        return status_fail(STATUS_INPUT, "%s: is not the space that %s was searched in (another checksum); name that one with --space",
                           space->path, e->file.in.path);
    e->space = space;
    return STATUS_OK;
}
