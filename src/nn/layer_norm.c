#include "layer_norm.h"

#include <stdbool.h>
#include <stddef.h>

static const real EPSILON = (real)1e-5;

/* 1 in the columns that are in use. */
static vec in_use(int column, int width)
{
    vec use;
    for (int i = 0; i < LANES; i++) use[i] = column + i < width;
    return use;
}

/* Keep or drop each of `count` numbers; kept ones are scaled so that the mean stays. The stream gives a key, which a hash of the place
 * (lowbias32, Wellons 2018) expands: lots from the stream itself would take longer than all the rest of a training step. */
static void drop(real *restrict slope, size_t count, double dropout, struct random_stream *stream)
{
    const uint32_t key[2] = {random_bits(stream), random_bits(stream)}, limit = (uint32_t)(dropout * 65536 + 0.5);
    const real scale = (real)(1 / (1 - limit / 65536.0));
    for (size_t i = 0; i < count; i++) {
        uint32_t x = (uint32_t)i * UINT32_C(0x9e3779b9) + key[0];
        x = (x ^ x >> 16) * UINT32_C(0x7feb352d) ^ key[1];
        x = (x ^ x >> 15) * UINT32_C(0x846ca68b);
        slope[i] *= x >> 16 < limit ? 0 : scale;
    }
}

void layer_norm_forward(real *y, struct layer_norm_cache *cache, const struct layer_norm *p, int rows, int width, double dropout,
                        struct random_stream *stream)
{
    const int panels = (width + WIDTH - 1) / WIDTH;
    const size_t step = (size_t)rows * WIDTH;
    for (int r = 0; r < rows; r++) {
        real *z = cache->normal + (size_t)r * WIDTH;
        vec sum = {0}, square = {0};
        for (int k = 0; k < panels; k++)
            for (int c = 0; c < WIDTH; c += LANES) sum += vec_load(z + (size_t)k * step + c);
        const real mean = vec_sum(sum) / (real)width;
        for (int k = 0; k < panels; k++)
            for (int c = 0; c < WIDTH; c += LANES) {
                const vec d = (vec_load(z + (size_t)k * step + c) - mean) * in_use(k * WIDTH + c, width);
                vec_store(z + (size_t)k * step + c, d);
                square += d * d;
            }
        const real inverse = 1 / (real)sqrt(vec_sum(square) / (real)width + EPSILON);
        cache->inverse[r] = inverse;
        for (int k = 0; k < panels; k++)
            for (int c = 0; c < WIDTH; c += LANES) {
                const size_t at = (size_t)k * step + (size_t)r * WIDTH + (size_t)c;
                const vec normal = vec_load(cache->normal + at) * inverse;
                const vec u = normal * vec_load(p->gamma + k * WIDTH + c) + vec_load(p->beta + k * WIDTH + c);
                vec_store(cache->normal + at, normal);
                vec_store(cache->slope + at, vec_select(u > 0, vec_all(1), (vec){0}));
                vec_store(y + at, u);
            }
    }
    if (stream != NULL) drop(cache->slope, (size_t)panels * step, dropout, stream);
    for (size_t i = 0; i < (size_t)panels * step; i += LANES) vec_store(y + i, vec_load(y + i) * vec_load(cache->slope + i));
}

void layer_norm_backward(real *dz, struct layer_norm *d, const real *dy, const struct layer_norm_cache *cache, const struct layer_norm *p,
                         int rows, int width)
{
    const int panels = (width + WIDTH - 1) / WIDTH;
    const size_t step = (size_t)rows * WIDTH;
    for (int k = 0; k < panels; k++)
        for (int c = 0; c < WIDTH; c += LANES) {
            vec sum = {0}, dot = {0}; /* of the gradient before relu and dropout, and of it times normal */
            for (int r = 0; r < rows; r++) {
                const size_t at = (size_t)k * step + (size_t)r * WIDTH + (size_t)c;
                const vec du = vec_load(dy + at) * vec_load(cache->slope + at);
                sum += du;
                dot += du * vec_load(cache->normal + at);
                vec_store(dz + at, du * vec_load(p->gamma + k * WIDTH + c));
            }
            vec_store(d->beta + k * WIDTH + c, sum);
            vec_store(d->gamma + k * WIDTH + c, dot);
        }
    for (int r = 0; r < rows; r++) {
        vec sum = {0}, dot = {0};
        for (int k = 0; k < panels; k++)
            for (int c = 0; c < WIDTH; c += LANES) {
                const size_t at = (size_t)k * step + (size_t)r * WIDTH + (size_t)c;
                sum += vec_load(dz + at);
                dot += vec_load(dz + at) * vec_load(cache->normal + at);
            }
        const real mean = vec_sum(sum) / (real)width, along = vec_sum(dot) / (real)width, inverse = cache->inverse[r];
        for (int k = 0; k < panels; k++)
            for (int c = 0; c < WIDTH; c += LANES) {
                const size_t at = (size_t)k * step + (size_t)r * WIDTH + (size_t)c;
                const vec g = inverse * (vec_load(dz + at) - mean - vec_load(cache->normal + at) * along);
                vec_store(dz + at, g * in_use(k * WIDTH + c, width));
            }
    }
}
