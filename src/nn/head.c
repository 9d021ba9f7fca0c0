#include "head.h"

void head_forward(real *score, real *pooled, const struct head *p, const real *x, int count, int nodes)
{
    for (int b = 0; b < count; b++) {
        real sum = p->bias[0];
        for (int i = 0; i < nodes; i++, x += WIDTH) {
            vec total = {0};
            for (int c = 0; c < WIDTH; c += LANES) total += vec_load(x + c);
            real mean = vec_sum(total) / WIDTH;
            pooled[b * nodes + i] = mean;
            sum += p->weight[i] * mean;
        }
        score[b] = 1 / (1 + (real)exp(-sum));
    }
}

void head_backward(real *dx, struct head *d, const real *dscore, const real *score, const real *pooled, const struct head *p,
                   int count, int nodes)
{
    for (int b = 0; b < count; b++) {
        real dsum = dscore[b] * score[b] * (1 - score[b]);
        d->bias[0] += dsum;
        for (int i = 0; i < nodes; i++, dx += WIDTH) {
            d->weight[i] += dsum * pooled[b * nodes + i];
            vec g = vec_all(dsum * p->weight[i] / WIDTH);
            for (int c = 0; c < WIDTH; c += LANES) vec_store(dx + c, g);
        }
    }
}

real huber_loss(real *dscore, const real *score, const real *target, int count, real delta)
{
    real loss = 0;
    for (int b = 0; b < count; b++) {
        real d = score[b] - target[b], size = d < 0 ? -d : d;
        loss += size < delta ? d * d / 2 : delta * (size - delta / 2);
        dscore[b] = (size < delta ? d : d < 0 ? -delta : delta) / (real)count;
    }
    return loss / (real)count;
}
