/* Keras weight files: the published one gives the published values, files like it are read into the right places, and files
 * of other networks are refused. */
#include "weights_fixture.h"

#include <jansson.h>
#include <math.h>
#include <netcdf.h>

/* The layer names of the published file; `spoiled` is written with the wrong shape, `left_out` not at all. */
static const char *spoiled, *left_out;

static void put_keras(int file, const char *layer, const char *name, const real *value, size_t rows, size_t columns)
{
    int outer, group, variable, axis[2];
    char full[160], axis_name[NC_MAX_NAME + 1];
    snprintf(full, sizeof full, "%s/%s", layer, name);
    if (left_out != NULL && strncmp(full, left_out, strlen(left_out)) == 0) return;
    if (spoiled != NULL && strcmp(full, spoiled) == 0) rows--; /* fewer are written than there are */
    if (nc_inq_ncid(file, layer, &outer) != NC_NOERR) {
        assert_int_equal(nc_def_grp(file, layer, &outer), NC_NOERR);
        assert_int_equal(nc_def_grp(outer, layer, &group), NC_NOERR);
    }
    assert_int_equal(nc_inq_ncid(outer, layer, &group), NC_NOERR);
    for (int i = 0; i < (columns > 0 ? 2 : 1); i++) {
        snprintf(axis_name, sizeof axis_name, "%.20s_%d", name, i);
        assert_int_equal(nc_def_dim(group, axis_name, i == 0 ? rows : columns, &axis[i]), NC_NOERR);
    }
    assert_int_equal(nc_def_var(group, name, NC_FLOAT, columns > 0 ? 2 : 1, axis, &variable), NC_NOERR);
    assert_int_equal(nc_put_var_float(group, variable, value), NC_NOERR);
}

static void put_keras_norm(int file, const char *layer, const struct norm *n)
{
    put_keras(file, layer, "gamma:0", n->gamma, WIDTH, 0);
    put_keras(file, layer, "beta:0", n->beta, WIDTH, 0);
    put_keras(file, layer, "moving_mean:0", n->mean, WIDTH, 0);
    put_keras(file, layer, "moving_variance:0", n->variance, WIDTH, 0);
}

/* Convolutions are numbered from 8, so that their order is that of the numbers and not of the names; written backwards. */
static void write_keras(const struct siamese *s, int extra_convolutions)
{
    static const char *const norms[SIAMESE_GROUPS] = {
        "embd_blck_gcnconv_1_bn", "embd_blck_gcnconv_2_bn", "embd_blck_gcnconv_3_bn", "embd_blck_ndsatten_1_gconvq_bn",
        "embd_blck_ndsatten_1_gconvk_bn", "embd_blck_ndsatten_1_gconvv_bn", "embd_blck_ndsatten_1_gconvout_bn",
        "estattn_gcnconv_q_bn", "estattn_gcnconv_k_bn", "estattn_gcnconv_v_bn", "estattn_gconvout_bn",
    };
    const struct siamese_parameters *p = siamese_parameters(s);
    const struct siamese_shape *shape = siamese_shape(s);
    int file, number = 8 + extra_convolutions;
    char layer[128];
    assert_int_equal(nc_create(path, NC_NETCDF4 | NC_CLOBBER, &file), NC_NOERR);
    assert_int_equal(nc_put_att_text(file, NC_GLOBAL, "layer_names", 1, "x"), NC_NOERR);
    for (int g = 0; g < SIAMESE_GROUPS; g++) number += p->group[g].weight[0] != NULL ? 2 : 0;
    for (int i = 0; i < extra_convolutions; i++) {
        snprintf(layer, sizeof layer, "gcn_conv_%d", --number);
        put_keras(file, layer, "weight:0", p->group[GROUP_2].weight[0], WIDTH, WIDTH);
    }
    for (int g = SIAMESE_GROUPS - 1; g >= 0; g--)
        for (int d = 1; d >= 0 && p->group[g].weight[d] != NULL; d--) {
            snprintf(layer, sizeof layer, "gcn_conv_%d", --number);
            put_keras(file, layer, "weight:0", p->group[g].weight[d], g == GROUP_1 ? (size_t)shape->operations : WIDTH, WIDTH);
            put_keras(file, layer, "bias:0", p->group[g].bias[d], WIDTH, 0);
            snprintf(layer, sizeof layer, "siams_predictor_%s%d", norms[g], d + 1);
            put_keras_norm(file, layer, &p->group[g].norm[d]);
        }
    if (shape->code_length > 0) {
        const size_t wide = (size_t)shape->nodes * WIDTH;
        put_keras(file, "siams_predictor_estattn_ds_k", "kernel:0", p->code_weight, (size_t)shape->code_length, wide);
        put_keras(file, "siams_predictor_estattn_ds_k", "bias:0", p->code_bias, wide, 0);
        put_keras_norm(file, "siams_predictor_estattn_bn1", &p->code_norm);
    }
    put_keras(file, "siams_predictor_denseout", "kernel:0", p->head.weight, (size_t)shape->nodes, 1);
    put_keras(file, "siams_predictor_denseout", "bias:0", p->head.bias, 1, 0);
    assert_int_equal(nc_close(file), NC_NOERR);
}

static void test_keras(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        if (shapes[i].linear || shapes[i].pruned) continue; /* not as published */
        struct siamese *written = scrambled(&shapes[i]), *read;
        char *vocabulary;
        write_keras(written, 0);
        assert_int_equal(siamese_file_read(&read, &vocabulary, path), STATUS_OK);
        assert_null(vocabulary);
        expect_equal(written, read);
        siamese_destroy(&read);
        siamese_destroy(&written);
        fixture_release();
    }
}

static void test_foreign_keras(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "gcn_conv_11/weight:0", "gcn_conv_9/bias:0", "siams_predictor_embd_blck_gcnconv_2_bn2/gamma:0",
        "siams_predictor_embd_blck_ndsatten_1_gconvq_bn2/moving_variance:0", "siams_predictor_estattn_ds_k/bias:0",
        "siams_predictor_estattn_bn1/beta:0", "siams_predictor_denseout/kernel:0",
    };
    struct siamese *s = scrambled(&shapes[2]);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        spoiled = parts[i];
        write_keras(s, 0);
        expect_refusal(path, "");
        spoiled = NULL;
        left_out = parts[i];
        write_keras(s, 0);
        expect_refusal(path, "");
        left_out = NULL;
    }
    left_out = "gcn_conv_8"; /* the convolutions move up by one: the input has 64 operations */
    write_keras(s, 0);
    expect_refusal(path, "");
    left_out = "gcn_conv";
    write_keras(s, 0);
    expect_refusal(path, "");
    left_out = NULL;
    for (int extra = 1; extra <= 5; extra += 4) { /* one too many, and more than any network has */
        write_keras(s, extra);
        expect_refusal(path, "convolutions");
    }
    siamese_destroy(&s);
}

/* ---- the published weights -------------------------------------------------------------------------------------- */
static void test_golden(void **state)
{
    (void)state;
    enum { CASES_MAX = 100, V = 7, E = 3 };
    const char *published = scratch_data("golden-forward.json");
    if (published == NULL) {
        print_message("SKIP: no golden-forward.json; set SIAMESE_NAS_DATA to the folder of the test data\n");
        skip();
    }
    json_t *golden = json_load_file(published, 0, NULL);
    assert_non_null(golden);
    const char *weights = scratch_data(json_string_value(json_object_get(golden, "weights")));
    assert_non_null(weights);
    struct siamese *s;
    char *vocabulary;
    assert_int_equal(siamese_file_read(&s, &vocabulary, weights), STATUS_OK);
    assert_null(vocabulary);
    const struct siamese_shape *shape = siamese_shape(s);
    assert_true(shape->nodes == V && shape->operations == 11 && shape->code_length == E);
    assert_true(shape->nsam && !shape->efm_value_own);

    static uint32_t forth[CASES_MAX][V], back[CASES_MAX][V];
    static const uint32_t *mask[2][CASES_MAX];
    static uint8_t operation[CASES_MAX * V];
    static real code[CASES_MAX * E], basic[CASES_MAX], estimation[CASES_MAX];
    json_t *names = json_object_get(golden, "vocabulary"), *cases = json_object_get(golden, "cases"), *one, *entry;
    size_t at, row, column;
    assert_in_range(json_array_size(cases), 24, CASES_MAX);
    json_array_foreach(cases, at, one) {
        mask[0][at] = forth[at];
        mask[1][at] = back[at];
        json_t *matrix = json_object_get(one, "adj_matrix"), *operations = json_object_get(one, "operations");
        for (size_t i = 0; i < V; i++)
            for (size_t j = 0; j < V; j++)
                if (i == j || json_integer_value(json_array_get(json_array_get(matrix, i), j)) != 0) {
                    forth[at][i] |= UINT32_C(1) << j;
                    back[at][j] |= UINT32_C(1) << i;
                }
        json_array_foreach(operations, row, entry) {
            json_t *name;
            json_array_foreach(names, column, name)
                if (json_equal(name, entry)) operation[at * V + row] = (uint8_t)column;
        }
        json_t *losses = json_object_get(one, "est_code");
        for (size_t e = 0; e < E; e++) code[at * E + e] = (real)json_real_value(json_array_get(losses, e));
    }
    const struct cells cells = {(int)json_array_size(cases), V, operation, {mask[0], mask[1]}};
    siamese_fold(s);
    siamese_score(basic, s, &cells, NULL);
    siamese_score(estimation, s, &cells, code);
    json_array_foreach(cases, at, one) {
        assert_true(fabs((double)basic[at] - json_real_value(json_object_get(one, "basic"))) < 1e-6);
        assert_true(fabs((double)estimation[at] - json_real_value(json_object_get(one, "estimation"))) < 1e-6);
    }
    json_decref(golden);

    struct siamese *again; /* through our own format */
    assert_int_equal(siamese_file_write(s, "", path), STATUS_OK);
    assert_int_equal(siamese_file_read(&again, &vocabulary, path), STATUS_OK);
    expect_equal(s, again);
    free(vocabulary);
    siamese_destroy(&again);
    siamese_destroy(&s);
    fixture_release();
    expect_truncated_refused(weights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keras), cmocka_unit_test(test_foreign_keras), cmocka_unit_test(test_golden),
    };
    random_open(&stream, 4, 0, 0, RANDOM_TEST);
    return cmocka_run_group_tests(tests, make_folder, scratch_close);
}
