/* vector.h - the number type of the layers and its vectors, as wide as the CPU that the build is for.
 *
 * Everything in nn/ and predictor/ computes in `real`: float, or double when built with REAL_DOUBLE (gradient
 * checks). Arrays of activations are [rows][WIDTH], 64-byte aligned. The compiler lowers the vector types to whatever
 * the target has, so there is one source for AVX-512, AVX2, SSE and others. */
#ifndef VECTOR_H
#define VECTOR_H

#include <math.h>
#include <stdint.h>
#if defined(__SSE__) && !defined(REAL_DOUBLE)
#include <immintrin.h>
#endif

#ifdef REAL_DOUBLE
typedef double real;
typedef int64_t real_bits;
#else
typedef float real;
typedef int32_t real_bits;
#endif

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

typedef real vec __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef real_bits vec_bits __attribute__((vector_size(VECTOR_BYTES), may_alias));

enum {
    WIDTH = 64,                             /* H of method.md */
    LANES = VECTOR_BYTES / (int)sizeof(real),
    WIDTH_VECTORS = WIDTH / LANES,
};

static inline vec vec_load(const real *p)
{
    return *(const vec *)p;
}

static inline void vec_store(real *p, vec v)
{
    *(vec *)p = v;
}

static inline vec vec_all(real s)
{
    return s - (vec){0}; /* not 0 + s, which is another number for s = -0 and so costs an addition */
}

/* mask ? a : b, lane by lane; mask lanes are 0 or -1. */
static inline vec vec_select(vec_bits mask, vec a, vec b)
{
    return (vec)((mask & (vec_bits)a) | (~mask & (vec_bits)b));
}

/* a < b ? a : b and a > b ? a : b, lane by lane: one instruction each on x86, which compilers do not find by themselves. */
#if defined(REAL_DOUBLE) || !defined(__SSE__)
#define VECTOR_PICK(name, compare, a, b) vec_select((a)compare(b), a, b)
#elif VECTOR_BYTES == 64
#define VECTOR_PICK(name, compare, a, b) (vec)_mm512_##name##_ps((__m512)(a), (__m512)(b))
#elif VECTOR_BYTES == 32
#define VECTOR_PICK(name, compare, a, b) (vec)_mm256_##name##_ps((__m256)(a), (__m256)(b))
#else
#define VECTOR_PICK(name, compare, a, b) (vec)_mm_##name##_ps((__m128)(a), (__m128)(b))
#endif

static inline vec vec_min(vec a, vec b)
{
    return VECTOR_PICK(min, <, a, b);
}

static inline vec vec_max(vec a, vec b)
{
    return VECTOR_PICK(max, >, a, b);
}

static inline real vec_sum(vec v)
{
    real lane[LANES];
    __builtin_memcpy(lane, &v, sizeof v);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) lane[i] += lane[i + half];
    return lane[0];
}

/* Lanes i of a bit mask, shifted right by `first`: -1 where bit (first + i) is set. */
static inline vec_bits vec_mask(uint32_t bits, int first)
{
    vec_bits lane = {0};
    for (int i = 0; i < LANES; i++) lane[i] = first + i;
    return -(((vec_bits){0} + (real_bits)bits) >> lane & 1);
}

/* Lane l of the result is lane index[l] of a, or of b behind it: one instruction, for which clang lacks gcc's name. */
static inline __attribute__((always_inline)) vec vec_shuffle(vec a, vec b, vec_bits index)
{
#ifdef __clang__
    vec picked = a;
    for (int l = 0; l < LANES; l++) picked[l] = index[l] < LANES ? a[index[l]] : b[index[l] - LANES];
    return picked;
#else
    return __builtin_shuffle(a, b, index);
#endif
}

/* Transpose the square block of LANES vectors, in log2(LANES) rounds of exchanges between vectors `step` apart. */
static inline __attribute__((always_inline)) void vec_exchange(vec block[LANES], const int step)
{
    vec_bits upper, lower; /* lanes l of the new vectors: from the first (below LANES) or the second of the pair */
    for (int l = 0; l < LANES; l++) {
        upper[l] = l & step ? LANES + l - step : l;
        lower[l] = l & step ? LANES + l : l + step;
    }
    for (int i = 0; i < LANES; i++)
        if (!(i & step)) {
            vec a = block[i], b = block[i + step];
            block[i] = vec_shuffle(a, b, upper);
            block[i + step] = vec_shuffle(a, b, lower);
        }
}

static inline __attribute__((always_inline)) void vec_transpose(vec block[LANES])
{
    if (LANES > 8) vec_exchange(block, LANES > 8 ? 8 : 1);
    if (LANES > 4) vec_exchange(block, LANES > 4 ? 4 : 1);
    if (LANES > 2) vec_exchange(block, LANES > 2 ? 2 : 1);
    vec_exchange(block, 1);
}

/* e^x on [-87, 88], within 2 units in the last place (float). */
static inline vec vec_exp_inside(vec x)
{
#ifdef REAL_DOUBLE
    for (int i = 0; i < LANES; i++) x[i] = exp(x[i]);
    return x;
#else
    const float shift = 0x1.8p23f;            /* adding it rounds to an integer, left in the low mantissa bits */
    vec t = x * 1.44269504f + shift;
    vec n = t - shift;
    vec r = x - n * 0x1.62e4p-1f;             /* ln 2 in two parts: n times the first is exact */
    r -= n * 1.42860677e-6f;
    vec p = r * (1.0f / 5040) + 1.0f / 720;   /* Taylor: the rest is below 1e-8 for |r| <= ln(2) / 2 */
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return (vec)((vec_bits)p + ((vec_bits)t << 23));
#endif
}

/* e^x; in float, outside [-87, 88] the value at the nearer end. */
static inline vec vec_exp(vec x)
{
#ifndef REAL_DOUBLE
    x = vec_min(vec_max(x, vec_all(-87)), vec_all(88));
#endif
    return vec_exp_inside(x);
}

/* mish(x) = x tanh(ln(1 + e^x)), with one exponential and one division: for w = e^x and n = w (w + 2),
 * tanh(softplus(x)) = n / (n + 2). Beyond 20 that is 1 in float, and w^2 would soon overflow. */
static inline vec vec_mish(vec x)
{
    vec w = vec_exp_inside(vec_max(vec_min(x, vec_all(20)), vec_all(-87)));
    vec n = w * (w + 2);
    return x * (n / (n + 2));
}

/* mish and its derivative n/(n+2) + x 4 w (w + 1) / (n + 2)^2. */
static inline vec vec_mish_slope(vec x, vec *slope)
{
    vec w = vec_exp_inside(vec_max(vec_min(x, vec_all(20)), vec_all(-87)));
    vec n = w * (w + 2);
    vec r = 1 / (n + 2);
    vec t = n * r;
    *slope = t + x * (4 * (n - w) * r) * r;
    return x * t;
}

#endif
