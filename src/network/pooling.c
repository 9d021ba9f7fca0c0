#include "dnn.h"

#include "status.h"

static int add_arguments(struct pooling *p, const struct dnn *d)
{
    TRY(dnn_argument(&p->forward, d, DNNL_ARG_SRC, &p->source, NULL));
    TRY(dnn_argument(&p->forward, d, DNNL_ARG_DST, &p->target, NULL));
    TRY(dnn_argument(&p->backward, d, DNNL_ARG_DIFF_DST, &p->target, NULL));
    return dnn_argument(&p->backward, d, DNNL_ARG_DIFF_SRC, &p->source, NULL);
}

int pooling_create(struct pooling *p, const struct dnn *d, int batch, int channels, int height, int width, int kernel, int stride)
{
    dnnl_pooling_desc_t desc;
    dnnl_primitive_desc_t forward, backward;
    const int pad = kernel == 3 ? 1 : 0;
    const dnnl_dims_t strides = {stride, stride}, window = {kernel, kernel}, padding = {pad, pad};
    *p = (struct pooling){0};
    channels = (channels + d->block - 1) / d->block * d->block;
    TRY(dnn_tensor(&p->source, d, batch, channels, height, width, false));
    TRY(dnn_tensor(&p->target, d, batch, channels, height / stride, width / stride, false));
    TRY(dnn_check(dnnl_pooling_forward_desc_init(&desc, dnnl_forward_training, dnnl_pooling_avg_exclude_padding, &p->source,
                                                 &p->target, strides, window, padding, padding), "describe a pooling"));
    TRY(dnn_check(dnnl_primitive_desc_create(&forward, &desc, NULL, d->engine, NULL), "choose a pooling"));
    dnnl_status_t code = dnnl_pooling_backward_desc_init(&desc, dnnl_pooling_avg_exclude_padding, &p->source, &p->target, strides,
                                                         window, padding, padding);
    if (code == dnnl_success) code = dnnl_primitive_desc_create(&backward, &desc, NULL, d->engine, forward);
    int status = dnn_check(code, "choose a pooling's gradient");
    if (status == STATUS_OK) status = dnn_primitive(&p->backward, &backward, "make a pooling's gradient");
    if (status != STATUS_OK) {
        dnnl_primitive_desc_destroy(forward);
        return status;
    }
    TRY(dnn_primitive(&p->forward, &forward, "make a pooling"));
    return add_arguments(p, d);
}

void pooling_destroy(struct pooling *p)
{
    dnn_release(&p->forward);
    dnn_release(&p->backward);
}

int pooling_forward(const struct pooling *p, const struct dnn *d, float *source, float *target)
{
    TRY(dnn_move(&p->forward, DNNL_ARG_SRC, source));
    TRY(dnn_move(&p->forward, DNNL_ARG_DST, target));
    return dnn_run(&p->forward, d);
}

int pooling_backward(const struct pooling *p, const struct dnn *d, float *source_gradient, float *target_gradient)
{
    TRY(dnn_move(&p->backward, DNNL_ARG_DIFF_DST, target_gradient));
    TRY(dnn_move(&p->backward, DNNL_ARG_DIFF_SRC, source_gradient));
    return dnn_run(&p->backward, d);
}
