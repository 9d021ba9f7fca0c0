#include "head.h"

void head_linear(real *value, real *pooled, const struct head *p, const real *x, int count, int nodes)
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
        value[b] = sum;
    }
}

void head_forward(real *score, real *pooled, const struct head *p, const real *x, int count, int nodes)
{
    head_linear(score, pooled, p, x, count, nodes);
    for (int b = 0; b < count; b++) score[b] = 1 / (1 + (real)exp(-score[b]));
}

/* One cell; returns where the next one's dx begins. */
static real *cell_backward(real *dx, struct head *d, real dsum, const real *pooled, const struct head *p, int nodes)
{
    d->bias[0] += dsum;
    for (int i = 0; i < nodes; i++, dx += WIDTH) {
        d->weight[i] += dsum * pooled[i];
        vec g = vec_all(dsum * p->weight[i] / WIDTH);
        for (int c = 0; c < WIDTH; c += LANES) vec_store(dx + c, g);
    }
    return dx;
}

void head_linear_backward(real *dx, struct head *d, const real *dvalue, const real *pooled, const struct head *p, int count, int nodes)
{
    for (int b = 0; b < count; b++) dx = cell_backward(dx, d, dvalue[b], pooled + b * nodes, p, nodes);
}

void head_backward(real *dx, struct head *d, const real *dscore, const real *score, const real *pooled, const struct head *p,
                   int count, int nodes)
{
    for (int b = 0; b < count; b++)
        dx = cell_backward(dx, d, dscore[b] * score[b] * (1 - score[b]), pooled + b * nodes, p, nodes);
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

real rank_loss(real *dvalue, const real *value, const real *target, int count)
{
    double loss = 0;
    int pairs = 0;
    for (int b = 0; b < count; b++) dvalue[b] = 0;
    for (int a = 0; a < count; a++)
        for (int b = 0; b < count; b++) {
            if (!(target[a] > target[b])) continue;
            const double ahead = (double)value[a] - (double)value[b], small = exp(-fabs(ahead));
            const double wrong = (ahead < 0 ? 1 : small) / (1 + small); /* 1 / (1 + exp(ahead)), the chance of the other order */
            loss += log1p(small) - (ahead < 0 ? ahead : 0);
            dvalue[a] -= (real)wrong;
            dvalue[b] += (real)wrong;
            pairs++;
        }
    for (int b = 0; b < count && pairs > 0; b++) dvalue[b] /= (real)pairs;
    return pairs > 0 ? (real)(loss / pairs) : 0;
}
