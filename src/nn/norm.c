#include "norm.h"

#include <stddef.h>

void norm_forward(real *y, struct norm_cache *cache, const struct norm *p, const real *bias, int rows, real scale, bool add,
                  real momentum, real epsilon)
{
    real *z = cache->normal;
    vec mean[WIDTH_VECTORS] = {{0}}, variance[WIDTH_VECTORS] = {{0}}, inverse[WIDTH_VECTORS];
    const real share = (real)1 / (real)rows;

    for (int r = 0; r < rows; r++)
        for (int c = 0; c < WIDTH_VECTORS; c++) mean[c] += vec_load(z + r * WIDTH + c * LANES);
    for (int c = 0; c < WIDTH_VECTORS; c++) mean[c] *= share;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < WIDTH_VECTORS; c++) {
            vec d = vec_load(z + r * WIDTH + c * LANES) - mean[c];
            variance[c] += d * d;
        }
    for (int c = 0; c < WIDTH_VECTORS; c++) {
        variance[c] *= share;
        for (int i = 0; i < LANES; i++) inverse[c][i] = 1 / (real)sqrt(variance[c][i] + epsilon);
        vec_store(cache->inverse + c * LANES, inverse[c]);
        vec shifted = mean[c];
        if (bias != NULL) shifted += vec_load(bias + c * LANES);
        vec_store(p->mean + c * LANES, vec_load(p->mean + c * LANES) * momentum + shifted * (1 - momentum));
        vec_store(p->variance + c * LANES, vec_load(p->variance + c * LANES) * momentum + variance[c] * (1 - momentum));
    }

    for (int c = 0; c < WIDTH_VECTORS; c++) {
        vec gamma = vec_load(p->gamma + c * LANES), beta = vec_load(p->beta + c * LANES);
        for (int r = 0; r < rows; r++) {
            int at = r * WIDTH + c * LANES;
            vec normal = (vec_load(z + at) - mean[c]) * inverse[c], slope;
            vec m = scale * vec_mish_slope(normal * gamma + beta, &slope);
            vec_store(z + at, normal);
            vec_store(cache->slope + at, slope);
            if (add) m += vec_load(y + at);
            vec_store(y + at, m);
        }
    }
}

void norm_backward(real *dz, struct norm *d, const real *dy, const struct norm_cache *cache, const struct norm *p, int rows,
                   real scale)
{
    for (int c = 0; c < WIDTH; c += LANES) {
        vec sum = {0}, dot = {0}; /* of du = dL/d(gamma normal + beta), and of du normal */
        for (int r = 0; r < rows; r++) {
            int at = r * WIDTH + c;
            vec du = scale * vec_load(dy + at) * vec_load(cache->slope + at);
            vec_store(dz + at, du);
            sum += du;
            dot += du * vec_load(cache->normal + at);
        }
        vec_store(d->beta + c, sum);
        vec_store(d->gamma + c, dot);
        vec factor = vec_load(p->gamma + c) * vec_load(cache->inverse + c);
        sum /= (real)rows;
        dot /= (real)rows;
        for (int r = 0; r < rows; r++) {
            int at = r * WIDTH + c;
            vec_store(dz + at, factor * (vec_load(dz + at) - sum - vec_load(cache->normal + at) * dot));
        }
    }
}

void norm_fold(real *scale, real *shift, const struct norm *p, const real *bias, real epsilon)
{
    for (int i = 0; i < WIDTH; i++) {
        scale[i] = p->gamma[i] / (real)sqrt(p->variance[i] + epsilon);
        shift[i] = p->beta[i] + scale[i] * ((bias == NULL ? 0 : bias[i]) - p->mean[i]);
    }
}
