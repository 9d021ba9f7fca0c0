#include "random.h"

#include <Random123/philox.h>
#include <assert.h>

void random_open(struct random_stream *s, uint64_t seed, uint32_t trial, uint32_t budget, enum random_purpose purpose)
{
    assert(budget < (1u << 24));
    *s = (struct random_stream){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .tag = {trial, (uint32_t)purpose << 24 | budget},
    };
}

uint32_t random_bits(struct random_stream *s)
{
    if (s->left == 0) {
        philox4x32_ctr_t counter = {{(uint32_t)s->counter, (uint32_t)(s->counter >> 32), s->tag[0], s->tag[1]}};
        philox4x32_key_t key = {{s->key[0], s->key[1]}};
        philox4x32_ctr_t block = philox4x32(counter, key);
        for (int i = 0; i < 4; i++) s->block[i] = block.v[i];
        s->counter++;
        s->left = 4;
    }
    return s->block[4 - s->left--];
}

double random_uniform(struct random_stream *s)
{
    return random_bits(s) * 0x1p-32;
}

int64_t random_below(struct random_stream *s, int64_t n)
{
    assert(n >= 1);
    uint64_t range = (uint64_t)n;
    uint64_t limit = UINT64_MAX - UINT64_MAX % range; /* the largest multiple of n: reject what lies above */
    uint64_t bits;
    do {
        bits = (uint64_t)random_bits(s) << 32;
        bits |= random_bits(s);
    } while (bits >= limit);
    return (int64_t)(bits % range);
}

void random_shuffle(int64_t *x, int64_t n, struct random_stream *s)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t other = random_below(s, i + 1), keep = x[i];
        x[i] = x[other];
        x[other] = keep;
    }
}

void random_subset(int64_t *out, int64_t m, int64_t n, struct random_stream *s)
{
    assert(0 <= m && m <= n);
    /* Selection sampling (Knuth, algorithm 3.4.2 S): cell i is taken with the chance (still wanted) / (still left). */
    for (int64_t i = 0, taken = 0; taken < m; i++)
        if (random_below(s, n - i) < m - taken) out[taken++] = i;
}
