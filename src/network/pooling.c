#include "dnn.h"

#include "status.h"

int pooling_create(struct pooling *p, const struct dnn *d, int batch, int parts, int channels, int height, int width, int kernel,
                   int stride)
{
    dnnl_pooling_desc_t desc;
    dnnl_primitive_desc_t forward, backward;
    const int pad = kernel == 3 ? 1 : 0;
    const dnnl_dims_t strides = {stride, stride}, window = {kernel, kernel}, padding = {pad, pad};
    *p = (struct pooling){.parts = parts};
    channels = (channels + d->block - 1) / d->block * d->block;
    TRY(dnn_tensor(&p->source, d, batch / parts, channels, height, width, false));
    TRY(dnn_tensor(&p->target, d, batch / parts, channels, height / stride, width / stride, false));
    TRY(dnn_check(dnnl_pooling_forward_desc_init(&desc, dnnl_forward_training, dnnl_pooling_avg_exclude_padding, &p->source,
                                                 &p->target, strides, window, padding, padding), "describe a pooling"));
    TRY(dnn_check(dnnl_primitive_desc_create(&forward, &desc, NULL, d->engine, NULL), "choose a pooling"));
    dnnl_status_t code = dnnl_pooling_backward_desc_init(&desc, dnnl_pooling_avg_exclude_padding, &p->source, &p->target, strides,
                                                         window, padding, padding);
    if (code == dnnl_success) code = dnnl_primitive_desc_create(&backward, &desc, NULL, d->engine, forward);
    int status = dnn_check(code, "choose a pooling's gradient");
    if (status == STATUS_OK) status = dnn_parts(&p->backward, parts, &backward, "make a pooling's gradient");
    if (status == STATUS_OK) return dnn_parts(&p->forward, parts, &forward, "make a pooling");
    dnnl_primitive_desc_destroy(forward);
    return status;
}

void pooling_destroy(struct pooling *p)
{
    dnn_release_parts(&p->forward, p->parts);
    dnn_release_parts(&p->backward, p->parts);
}

int pooling_bind(struct pooling *p, const struct dnn *d, float *source, float *target, float *source_gradient, float *target_gradient)
{
    const size_t from = dnnl_memory_desc_get_size(&p->source) / sizeof(float);
    const size_t to = dnnl_memory_desc_get_size(&p->target) / sizeof(float);
    for (int part = 0; part < p->parts; part++) {
        const size_t f = (size_t)part * from, t = (size_t)part * to;
        TRY(dnn_argument(&p->forward[part], d, DNNL_ARG_SRC, &p->source, source + f));
        TRY(dnn_argument(&p->forward[part], d, DNNL_ARG_DST, &p->target, target + t));
        TRY(dnn_argument(&p->backward[part], d, DNNL_ARG_DIFF_DST, &p->target, target_gradient + t));
        TRY(dnn_argument(&p->backward[part], d, DNNL_ARG_DIFF_SRC, &p->source, source_gradient + f));
    }
    return STATUS_OK;
}

int pooling_forward(const struct pooling *p, const struct dnn *d)
{
    for (int part = 0; part < p->parts; part++) TRY(dnn_run(&p->forward[part], d));
    return STATUS_OK;
}

int pooling_backward(const struct pooling *p, const struct dnn *d)
{
    for (int part = 0; part < p->parts; part++) TRY(dnn_run(&p->backward[part], d));
    return STATUS_OK;
}
