#include "config.h"

#include "memory.h"
#include "status.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 100000, ITEM_MAX = 400 };

/* What is being read: one value of one key. */
struct source {
    const struct config_key *key;
    const char *where;
};

static int refuse(const struct source *s, const char *item, const char *reason)
{
    const struct config_key *k = s->key;
    return status_fail(STATUS_INPUT, "%s %s.%s = %s: %s; %s", s->where, k->section, k->key, item, reason, k->help);
}

static int check_number(const struct source *s, const char *item, double number)
{
    const struct config_key *k = s->key;
    if (number >= k->low && number <= k->high) return STATUS_OK;
    char reason[80];
    snprintf(reason, sizeof reason, "must lie in [%.16g, %.16g]", k->low, k->high);
    return refuse(s, item, reason);
}

static const char *skip_blanks(const char *text)
{
    while (isspace((unsigned char)*text)) text++;
    return text;
}

/* An integer at the start of text; *end is behind it and the blanks that follow. */
static bool read_integer(long long *out, const char *text, const char **end)
{
    char *stop;
    errno = 0;
    *out = strtoll(text, &stop, 10);
    *end = skip_blanks(stop);
    return stop != text && errno == 0;
}

static void store(struct config_value *v, double number)
{
    if (v->number != NULL) v->number[v->count] = number;
    v->count++;
}

/* "7", or in lists "30..200:10" and "1..3". */
static int parse_integers(struct config_value *v, const struct source *s, const char *item)
{
    long long first, last, step = 1;
    const char *rest;
    if (!read_integer(&first, item, &rest)) return refuse(s, item, "is not an integer");
    last = first;
    if (s->key->count == CONFIG_ANY && strncmp(rest, "..", 2) == 0) {
        if (!read_integer(&last, rest + 2, &rest)) return refuse(s, item, "a range looks like 30..200:10 or 1..3");
        if (*rest == ':' && !read_integer(&step, rest + 1, &rest)) return refuse(s, item, "the step is not an integer");
        if (step < 1) return refuse(s, item, "the step must be at least 1");
        if (last < first) return refuse(s, item, "a range goes upward");
    }
    if (*rest != '\0') return refuse(s, item, "is not an integer");
    TRY(check_number(s, item, (double)first));
    TRY(check_number(s, item, (double)last)); /* from here on their difference cannot overflow */
    if ((last - first) / step >= ITEMS_MAX - v->count) return refuse(s, item, "gives too many values");
    for (long long i = first; i <= last; i += step) store(v, (double)i);
    return STATUS_OK;
}

static int parse_real(struct config_value *v, const struct source *s, const char *item)
{
    char *end;
    double number = strtod(item, &end);
    if (end == item || *end != '\0' || !isfinite(number)) return refuse(s, item, "is not a number");
    TRY(check_number(s, item, number));
    store(v, number);
    return STATUS_OK;
}

static int parse_choice(struct config_value *v, const struct source *s, const char *item)
{
    size_t length = strlen(item);
    int index = 0;
    for (const char *c = s->key->choices;; c++, index++) {
        size_t next = strcspn(c, "|");
        if (length == next && strncmp(item, c, next) == 0) {
            store(v, index);
            return STATUS_OK;
        }
        c += next;
        if (*c == '\0') break;
    }
    char reason[160];
    snprintf(reason, sizeof reason, "must be one of %s", s->key->choices);
    return refuse(s, item, reason);
}

static int parse_text(struct config_value *v, const struct source *s, const char *item)
{
    if (*item == '\0' && s->key->flags & CONFIG_REQUIRED) return refuse(s, item, "is empty");
    if (v->item != NULL) TRY(memory_copy_text(&v->item[v->count], item));
    v->count++;
    return STATUS_OK;
}

static int parse_item(struct config_value *v, const struct source *s, const char *item)
{
    switch (s->key->type) {
    case CONFIG_INT: return parse_integers(v, s, item);
    case CONFIG_REAL: return parse_real(v, s, item);
    case CONFIG_CHOICE: return parse_choice(v, s, item);
    case CONFIG_TEXT: break;
    }
    return parse_text(v, s, item);
}

/* Go through the items once. Without memory in v this only checks and counts them. */
static int parse_items(struct config_value *v, const struct source *s, const char *text)
{
    v->count = 0;
    for (const char *next = text;; next++) {
        next = skip_blanks(next);
        size_t length = s->key->count == 1 ? strlen(next) : strcspn(next, ",");
        const char *end = next + length;
        while (length > 0 && isspace((unsigned char)next[length - 1])) length--;
        char item[ITEM_MAX];
        if (length >= sizeof item) return refuse(s, "(a long text)", "is too long");
        memcpy(item, next, length);
        item[length] = '\0';
        if (length == 0 && s->key->count != 1) return refuse(s, text, "an item of the list is empty");
        TRY(parse_item(v, s, item));
        next = end;
        if (*next == '\0') return STATUS_OK;
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort_set(struct config_value *v)
{
    qsort(v->number, (size_t)v->count, sizeof *v->number, ascending);
    int kept = 0;
    for (int i = 0; i < v->count; i++)
        if (kept == 0 || v->number[i] != v->number[kept - 1]) v->number[kept++] = v->number[i];
    v->count = kept;
}

/* The fewest digits that read back as the same number, so that equal parameters have equal texts. */
static void print_number(FILE *f, double number)
{
    char text[32];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    fputs(text, f);
}

/* Choice number `index` of "raw|log". */
static int spell_choice(char **out, const char *choices, int index)
{
    for (; index > 0; index--) choices += strcspn(choices, "|") + 1;
    const size_t length = strcspn(choices, "|");
    TRY(memory_alloc(out, length + 1, 1));
    memcpy(*out, choices, length);
    return STATUS_OK;
}

static int spell(struct config_value *v, const struct config_key *k)
{
    if (k->type == CONFIG_CHOICE) return spell_choice(&v->text, k->choices, (int)v->number[0]);
    size_t length;
    FILE *f = open_memstream(&v->text, &length);
    if (f == NULL) return status_fail(STATUS_FAILURE, "out of memory");
    for (int i = 0; i < v->count; i++) {
        if (i > 0) fputs(", ", f);
        if (k->type == CONFIG_TEXT)
            fputs(v->item[i], f);
        else if (k->type == CONFIG_INT)
            fprintf(f, "%.0f", v->number[i]);
        else
            print_number(f, v->number[i]);
    }
    return fclose(f) == 0 ? STATUS_OK : status_fail(STATUS_FAILURE, "out of memory");
}

int config_value_parse(struct config_value *v, const struct config_key *k, const char *text, const char *where)
{
    struct source s = {k, where};
    struct config_value new = {.line = v->line};
    int status = parse_items(&new, &s, text);
    if (status == STATUS_OK && k->count != CONFIG_ANY && new.count != k->count) {
        char reason[80];
        snprintf(reason, sizeof reason, "has %d items where %d are needed", new.count, k->count);
        status = refuse(&s, text, reason);
    }
    if (status != STATUS_OK) return status;
    if (k->type == CONFIG_TEXT)
        TRY_DONE(memory_alloc(&new.item, (size_t)new.count, sizeof *new.item));
    else
        TRY_DONE(memory_alloc(&new.number, (size_t)new.count, sizeof *new.number));
    TRY_DONE(parse_items(&new, &s, text));
    if (k->flags & CONFIG_SORTED) sort_set(&new);
    TRY_DONE(spell(&new, k));
    config_value_destroy(v);
    *v = new;
    return STATUS_OK;
done:
    config_value_destroy(&new);
    return status;
}

void config_value_destroy(struct config_value *v)
{
    for (int i = 0; v->item != NULL && i < v->count; i++) free(v->item[i]);
    free(v->item);
    free(v->number);
    free(v->text);
    *v = (struct config_value){0};
}

void config_value_describe(FILE *f, const struct config_key *k)
{
    static const char *const noun[][2] = {
        [CONFIG_INT] = {"integer", "integers"}, [CONFIG_REAL] = {"number", "numbers"}, [CONFIG_TEXT] = {"text", "names"}};
    if (k->type == CONFIG_CHOICE) {
        fprintf(f, "one of %s", k->choices);
        return;
    }
    if (k->count == CONFIG_ANY)
        fprintf(f, "list of %s", noun[k->type][1]);
    else if (k->count > 1)
        fprintf(f, "%d %s", k->count, noun[k->type][1]);
    else
        fputs(noun[k->type][0], f);
    if (k->type != CONFIG_TEXT) fprintf(f, " in [%.16g, %.16g]", k->low, k->high);
}
