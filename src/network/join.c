#include "join.h"

#include "vector.h"

#include <math.h>
#include <string.h>

enum { BLOCK_MAX = 16, TILE = 1024 }; /* TILE floats stay in the first cache */

/* A normalisation of one block as value * scale + a share of the join's shift; scale 1 for an input that is taken as it is. */
struct affine {
    _Alignas(64) float scale[BLOCK_MAX];
};

#define BLOCK 16
#include "join_block.h"
#undef BLOCK
#define BLOCK 8
#include "join_block.h"
#undef BLOCK

static size_t row_floats(const struct join *j)
{
    return (size_t)j->pixels * (size_t)j->block;
}

static size_t row_start(const struct join *j, int image, int block)
{
    return ((size_t)image * (size_t)j->blocks + (size_t)block) * row_floats(j);
}

static enum activation activation_of(const struct join *j, enum join_mode mode)
{
    return mode == JOIN_LINEAR ? ACTIVATION_RELU : j->activation;
}

/* -- forward --------------------------------------------------------------------------------------------------- */

void join_moments(const struct join *j, const struct join_input *in, const float *value, int images, bool begin)
{
    const size_t channels = (size_t)(j->blocks * j->block);
    if (begin) memset(in->moment, 0, 2 * channels * sizeof *in->moment);
    for (int n = 0; n < images; n++)
        for (int cb = 0; cb < j->blocks; cb++) {
            _Alignas(64) float a[BLOCK_MAX], b[BLOCK_MAX];
            double *sum = in->moment + cb * j->block, *square = sum + channels;
            (j->block == 16 ? moments_16 : moments_8)(a, b, value + row_start(j, n, cb), j->pixels);
            for (int l = 0; l < j->block; l++) sum[l] += a[l], square[l] += b[l];
        }
}

/* Mean and variance of a normalised input over the batch, from its moments. */
static void batch_statistics(const struct join *j, const struct join_input *in)
{
    const double count = (double)j->batch * j->pixels;
    const int channels = j->blocks * j->block;
    for (int c = 0; c < channels; c++) {
        const double mean = in->moment[c] / count, variance = fmax(in->moment[channels + c] / count - mean * mean, 0);
        in->mean[c] = (float)mean;
        in->deviation[c] = (float)(1 / sqrt(variance + (double)JOIN_EPSILON));
        const double unbiased = count > 1 ? variance * count / (count - 1) : variance;
        in->running_mean[c] += JOIN_MOMENTUM * ((float)mean - in->running_mean[c]);
        in->running_variance[c] += JOIN_MOMENTUM * ((float)unbiased - in->running_variance[c]);
    }
}

static void affine_of(struct affine *a, float *shift, const struct join *j, const struct join_input *in, int cb, enum join_mode mode)
{
    for (int l = 0; l < j->block; l++) {
        const int c = cb * j->block + l;
        a->scale[l] = 1;
        if (mode == JOIN_LINEAR || !in->normalised) continue;
        const bool training = mode == JOIN_TRAINING;
        const float deviation = training ? in->deviation[c] : 1 / sqrtf(in->running_variance[c] + JOIN_EPSILON);
        a->scale[l] = in->gamma[c] * deviation;
        shift[l] += in->beta[c] - (training ? in->mean[c] : in->running_mean[c]) * a->scale[l];
    }
}

/* Of the activations but ReLU, which the loops over pixels have. */
static void activate(float *out, const float *in, size_t n, enum activation activation)
{
    for (size_t i = 0; i < n; i += LANES) {
        const size_t bytes = (n - i < LANES ? n - i : LANES) * sizeof *out;
        vec x = {0};
        memcpy(&x, in + i, bytes);
        x = activation == ACTIVATION_MISH ? vec_mish(x) : vec_min(vec_max(x * 0.2f + 0.5f, vec_all(0)), vec_all(1));
        memcpy(out + i, &x, bytes);
    }
}

static void forward_row(const struct join *j, const struct affine *affine, const float *shift, enum activation activation, size_t row)
{
    const float *x[JOIN_INPUTS_MAX];
    const int some = TILE / j->block;
    for (int p = 0; p < j->pixels; p += some) {
        const int pixels = j->pixels - p < some ? j->pixels - p : some;
        const size_t at = row + (size_t)p * (size_t)j->block;
        float *sum = j->sum != NULL ? j->sum + at : NULL, *activated = j->activated != NULL ? j->activated + at : NULL;
        for (int i = 0; i < j->inputs; i++) x[i] = j->input[i].value + at;
        (j->block == 16 ? forward_16 : forward_8)(sum, activation == ACTIVATION_RELU ? activated : NULL, x, affine, shift, pixels,
                                                  j->inputs);
        if (activated != NULL && activation != ACTIVATION_RELU)
            activate(activated, sum, (size_t)pixels * (size_t)j->block, activation);
    }
}

void join_forward(const struct join *j, enum join_mode mode)
{
    struct affine affine[JOIN_INPUTS_MAX];
    for (int i = 0; i < j->inputs; i++)
        if (j->begin && mode == JOIN_TRAINING && j->input[i].normalised) batch_statistics(j, &j->input[i]);
    for (int cb = 0; cb < j->blocks; cb++) {
        _Alignas(64) float shift[BLOCK_MAX] = {0};
        for (int i = 0; i < j->inputs; i++) affine_of(&affine[i], shift, j, &j->input[i], cb, mode);
        for (int n = 0; n < j->images; n++) forward_row(j, affine, shift, activation_of(j, mode), row_start(j, n, cb));
    }
}

/* -- backward -------------------------------------------------------------------------------------------------- */

/* gradient = slope at the sum, times the sources behind the activation, and the other sources. */
static void slope_gradient(float *gradient, const struct join *j, size_t at, size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        const size_t bytes = (n - i < LANES ? n - i : LANES) * sizeof *gradient;
        vec g = {0}, x = {0}, one = {0}, slope;
        memcpy(&x, j->sum + at + i, bytes);
        for (int s = 0; s < j->activated_sources; s++) {
            memcpy(&one, j->activated_source[s] + at + i, bytes);
            g += one;
        }
        if (j->activation == ACTIVATION_MISH) {
            vec_mish_slope(x, &slope);
        } else {
            const vec y = x * 0.2f + 0.5f;
            slope = vec_select((y > 0) & (y < 1), vec_all(0.2f), vec_all(0));
        }
        g *= slope;
        for (int s = 0; s < j->sum_sources; s++) {
            memcpy(&one, j->sum_source[s] + at + i, bytes);
            g += one;
        }
        memcpy(gradient + i, &g, bytes);
    }
}

/* The gradient of the sum, and its sums with each normalised input and, last, with 1. */
static void backward_row(const struct join *j, float (*total)[BLOCK_MAX], enum activation activation, size_t row)
{
    const float *x[JOIN_INPUTS_MAX];
    const int some = TILE / j->block;
    struct join plain = *j; /* whose gradient has been made already */
    const float *made = j->gradient;
    plain.activated_sources = 0, plain.sum_sources = 1, plain.sum_source = &made;
    const bool slope = j->activated_sources > 0 && activation != ACTIVATION_RELU;
    struct join relu = *j; /* in place of another activation: of that the sum is kept, which has the ReLU's sign */
    if (j->activation != ACTIVATION_RELU) relu.activated = j->sum;
    for (int p = 0; p < j->pixels; p += some) {
        const int pixels = j->pixels - p < some ? j->pixels - p : some;
        const size_t at = row + (size_t)p * (size_t)j->block;
        int normalised = 0;
        for (int i = 0; i < j->inputs; i++)
            if (j->input[i].normalised) x[normalised++] = j->input[i].value + at;
        if (slope) slope_gradient(j->gradient + at, j, at, (size_t)pixels * (size_t)j->block);
        (j->block == 16 ? backward_16 : backward_8)(j->gradient + at, total, slope ? &plain : &relu, at, x, pixels, normalised);
    }
}

/* Gradients of gamma and beta, and the coefficients of the input's gradient: with x' = (x - mean) deviation,
 * dx = gamma deviation (g - mean(g) - x' mean(g x')). */
static void norm_gradient(const struct join *j, const struct join_input *in)
{
    const double count = (double)j->batch * j->pixels;
    const int channels = j->blocks * j->block;
    for (int c = 0; c < channels; c++) {
        const double product = in->moment[c], sum = in->moment[channels + c];
        const double mean = in->mean[c], deviation = in->deviation[c];
        const double of_gamma = deviation * (product - mean * sum);
        const double scale = in->gamma[c] * deviation;
        in->gamma_gradient[c] = (float)of_gamma;
        in->beta_gradient[c] = (float)sum;
        in->coefficient[c] = (float)scale;
        in->coefficient[channels + c] = (float)(-scale * deviation * of_gamma / count);
        in->coefficient[2 * channels + c] = (float)(scale * (deviation * mean * of_gamma - sum) / count);
    }
}

static void linear_gradient(const struct join *j, const struct join_input *in)
{
    const int channels = j->blocks * j->block;
    for (int c = 0; c < channels; c++)
        in->coefficient[c] = 1, in->coefficient[channels + c] = 0, in->coefficient[2 * channels + c] = 0;
}

void join_put_gradient(float *gradient, const struct join *j, const struct join_input *in, const float *sum_gradient,
                       const float *value, int images)
{
    const int channels = j->blocks * j->block;
    for (int n = 0; n < images; n++)
        for (int cb = 0; cb < j->blocks; cb++) {
            const size_t at = row_start(j, n, cb);
            const float *of = in->coefficient + cb * j->block;
            (j->block == 16 ? put_gradient_16 : put_gradient_8)(gradient + at, sum_gradient + at, value + at, of, of + channels,
                                                                of + 2 * channels, j->pixels);
        }
}

/* Sums of one row, [normalised inputs] of its products and one of itself, to those of the batch. */
static void add_totals(const struct join *j, float (*row)[BLOCK_MAX], int normalised, int cb)
{
    for (int i = 0, k = 0; i < j->inputs; i++) {
        if (!j->input[i].normalised) continue;
        double *product = j->input[i].moment + cb * j->block, *sum = product + j->blocks * j->block;
        for (int l = 0; l < j->block; l++) product[l] += row[k][l], sum[l] += row[normalised][l];
        k++;
    }
}

void join_backward(const struct join *j, enum join_mode mode)
{
    const size_t channels = (size_t)(j->blocks * j->block);
    int normalised = 0;
    for (int i = 0; i < j->inputs; i++) {
        if (!j->input[i].normalised) continue;
        if (j->end) memset(j->input[i].moment, 0, 2 * channels * sizeof *j->input[i].moment);
        normalised++;
    }
    for (int n = 0; n < j->images; n++)
        for (int cb = 0; cb < j->blocks; cb++) {
            _Alignas(64) float row[JOIN_INPUTS_MAX + 1][BLOCK_MAX];
            memset(row, 0, (size_t)(normalised + 1) * sizeof *row);
            backward_row(j, row, activation_of(j, mode), row_start(j, n, cb));
            add_totals(j, row, normalised, cb);
        }
    for (int i = 0; i < j->inputs; i++)
        if (j->begin && j->input[i].normalised)
            (mode == JOIN_LINEAR ? linear_gradient : norm_gradient)(j, &j->input[i]);
}

void join_add(float *target, const float *const *source, int sources, size_t n)
{
    memcpy(target, source[0], n * sizeof *target);
    for (int s = 1; s < sources; s++)
        for (size_t i = 0; i < n; i++) target[i] += source[s][i];
}
