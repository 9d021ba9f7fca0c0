#include "dnn.h"

#include "memory.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* -- descriptions -------------------------------------------------------------------------------------------- */

/* Channels are rounded up to whole blocks before the library sees them, as its fast kernels want: the weights of channels that are not
 * there are zero, and so are their gradients. */
static int whole_blocks(int channels, const struct dnn *d)
{
    return (channels + d->block - 1) / d->block * d->block;
}

/* Weights of any layout, dims [out][in][k][k] or [groups][1][1][k][k]. */
static int describe_weights(dnnl_memory_desc_t *md, const struct convolution_shape *s, bool any)
{
    const dnnl_dims_t whole = {s->out_channels, s->in_channels, s->kernel, s->kernel};
    const dnnl_dims_t depthwise = {s->out_channels, 1, 1, s->kernel, s->kernel};
    const dnnl_format_tag_t plain = s->depthwise ? dnnl_goihw : dnnl_oihw;
    return dnn_check(dnnl_memory_desc_init_by_tag(md, s->depthwise ? 5 : 4, s->depthwise ? depthwise : whole, dnnl_f32,
                                                  any ? dnnl_format_tag_any : plain), "describe weights");
}

struct geometry {
    dnnl_dims_t stride, left, right;
};

static struct geometry geometry_of(const struct convolution_shape *s)
{
    const int pad = s->kernel / 2;
    struct geometry g = {{s->stride, s->stride}, {pad, pad}, {0, 0}};
    const int in[] = {s->in_height, s->in_width};
    for (int i = 0; i < 2; i++) {
        const int out = (in[i] - 1) / s->stride + 1;
        g.right[i] = (out - 1) * s->stride + s->kernel - in[i] - pad;
    }
    return g;
}

/* Winograd's algorithm on tiles of 4 x 4 pixels needs a quarter of the products: with few channels its transformations eat that up
 * again, and on small images the tiles are mostly edge. */
static bool winograd_pays(const struct convolution_shape *s, int channels)
{
    enum { PIXELS = 8 };
    return s->kernel == 3 && s->stride == 1 && !s->depthwise && s->in_channels >= channels && s->out_channels >= channels &&
           s->in_height >= PIXELS && s->in_width >= PIXELS;
}

/* Not every CPU has it; the direct algorithm is always there. */
static int choose(dnnl_primitive_desc_t *pd, dnnl_convolution_desc_t *desc, const struct convolution_shape *s, const struct dnn *d,
                  const_dnnl_primitive_desc_t hint, int winograd_channels, const char *what)
{
    if (winograd_pays(s, winograd_channels)) {
        desc->alg_kind = dnnl_convolution_winograd;
        if (dnnl_primitive_desc_create(pd, desc, NULL, d->engine, hint) == dnnl_success) return STATUS_OK;
        desc->alg_kind = dnnl_convolution_direct;
    }
    return dnn_check(dnnl_primitive_desc_create(pd, desc, NULL, d->engine, hint), what);
}

static int create_forward(struct convolution *c, const struct dnn *d, dnnl_primitive_desc_t *pd)
{
    dnnl_convolution_desc_t desc;
    dnnl_memory_desc_t any;
    const struct geometry g = geometry_of(&c->shape);
    TRY(describe_weights(&any, &c->shape, true));
    TRY(dnn_check(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, dnnl_convolution_direct, &c->source, &any,
                                                     c->shape.bias ? &c->bias : NULL, &c->target, g.stride, g.left, g.right),
                  "describe a convolution"));
    TRY(choose(pd, &desc, &c->shape, d, NULL, 32, "choose a convolution"));
    c->weights = *dnnl_primitive_desc_query_md(*pd, dnnl_query_weights_md, 0);
    return STATUS_OK;
}

static int create_data(struct convolution *c, const struct dnn *d, dnnl_primitive_desc_t hint)
{
    dnnl_convolution_desc_t desc;
    dnnl_memory_desc_t any;
    dnnl_primitive_desc_t pd;
    const struct geometry g = geometry_of(&c->shape);
    TRY(describe_weights(&any, &c->shape, true));
    TRY(dnn_check(dnnl_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, &c->source, &any, &c->target, g.stride,
                                                           g.left, g.right), "describe a convolution's gradient"));
    TRY(choose(&pd, &desc, &c->shape, d, hint, 32, "choose a convolution's gradient"));
    c->data_weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    return dnn_primitive(&c->data, &pd, "make a convolution's gradient");
}

static int create_gradient(struct convolution *c, const struct dnn *d, dnnl_primitive_desc_t hint)
{
    dnnl_convolution_desc_t desc;
    dnnl_memory_desc_t any;
    dnnl_primitive_desc_t pd;
    const struct geometry g = geometry_of(&c->shape);
    TRY(describe_weights(&any, &c->shape, true));
    TRY(dnn_check(dnnl_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct, &c->source, &any,
                                                              c->shape.bias ? &c->bias : NULL, &c->target, g.stride, g.left,
                                                              g.right), "describe a gradient of weights"));
    TRY(choose(&pd, &desc, &c->shape, d, hint, 64, "choose a gradient of weights"));
    c->gradient_weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_diff_weights_md, 0);
    return dnn_primitive(&c->gradient, &pd, "make a gradient of weights");
}

int convolution_create(struct convolution *c, const struct dnn *d, const struct convolution_shape *s)
{
    *c = (struct convolution){.shape = *s, .plain_in = s->in_channels, .plain_out = s->out_channels};
    if (!s->images) c->shape.in_channels = whole_blocks(s->in_channels, d);
    c->shape.out_channels = whole_blocks(s->out_channels, d);
    s = &c->shape;
    const int out_height = (s->in_height - 1) / s->stride + 1, out_width = (s->in_width - 1) / s->stride + 1;
    const dnnl_dims_t channels = {s->out_channels};
    dnnl_primitive_desc_t forward;
    TRY(dnn_tensor(&c->source, d, s->batch, s->in_channels, s->in_height, s->in_width, s->images));
    TRY(dnn_tensor(&c->target, d, s->batch, s->out_channels, out_height, out_width, false));
    TRY(describe_weights(&c->plain, s, false));
    TRY(dnn_check(dnnl_memory_desc_init_by_tag(&c->bias, 1, channels, dnnl_f32, dnnl_x), "describe a bias"));
    TRY(create_forward(c, d, &forward));
    int status = create_gradient(c, d, forward);
    if (status == STATUS_OK && !s->images) status = create_data(c, d, forward);
    if (status == STATUS_OK) return dnn_primitive(&c->forward, &forward, "make a convolution");
    dnnl_primitive_desc_destroy(forward);
    return status;
}

void convolution_destroy(struct convolution *c)
{
    dnn_release(&c->forward);
    dnn_release(&c->data);
    dnn_release(&c->gradient);
    dnn_release(&c->to_data);
    dnn_release(&c->from_gradient);
    free(c->data_scratch);
    free(c->gradient_scratch);
    free(c->part_gradient);
    *c = (struct convolution){0};
}

static size_t floats(const dnnl_memory_desc_t *md)
{
    return dnnl_memory_desc_get_size(md) / sizeof(float);
}

size_t convolution_weights(const struct convolution *c)
{
    return floats(&c->weights);
}

size_t convolution_bias(const struct convolution *c)
{
    return c->shape.bias ? (size_t)c->shape.out_channels : 0;
}

/* -- memory -------------------------------------------------------------------------------------------------- */

static int reorder(struct dnn_call *call, const struct dnn *d, const dnnl_memory_desc_t *to, float *target,
                   const dnnl_memory_desc_t *from, float *source)
{
    dnnl_primitive_desc_t pd;
    TRY(dnn_check(dnnl_reorder_primitive_desc_create(&pd, from, d->engine, to, d->engine, NULL), "choose a reordering"));
    TRY(dnn_primitive(call, &pd, "make a reordering"));
    TRY(dnn_argument(call, d, DNNL_ARG_FROM, from, source));
    return dnn_argument(call, d, DNNL_ARG_TO, to, target);
}

/* Where the backward passes want other layouts than the kept one, they work on copies. */
static int bind_copies(struct convolution *c, const struct dnn *d, const struct convolution_memory *m)
{
    c->whole_gradient = m->weights_gradient;
    if (!dnnl_memory_desc_equal(&c->gradient_weights, &c->weights)) {
        TRY(memory_alloc(&c->gradient_scratch, floats(&c->gradient_weights), sizeof(float)));
        TRY(reorder(&c->from_gradient, d, &c->weights, m->weights_gradient, &c->gradient_weights, c->gradient_scratch));
        c->whole_gradient = c->gradient_scratch;
    }
    if (c->shape.parts > 1)
        TRY(memory_alloc(&c->part_gradient, floats(&c->gradient_weights) + convolution_bias(c), sizeof(float)));
    if (c->data.primitive == NULL || dnnl_memory_desc_equal(&c->data_weights, &c->weights)) return STATUS_OK;
    TRY(memory_alloc(&c->data_scratch, floats(&c->data_weights), sizeof(float)));
    return reorder(&c->to_data, d, &c->data_weights, c->data_scratch, &c->weights, m->weights);
}

int convolution_bind(struct convolution *c, const struct dnn *d, const struct convolution_memory *m)
{
    TRY(bind_copies(c, d, m));
    c->bias_gradient = m->bias_gradient;
    TRY(dnn_argument(&c->forward, d, DNNL_ARG_SRC, &c->source, NULL));
    TRY(dnn_argument(&c->forward, d, DNNL_ARG_WEIGHTS, &c->weights, m->weights));
    if (c->shape.bias) TRY(dnn_argument(&c->forward, d, DNNL_ARG_BIAS, &c->bias, m->bias));
    TRY(dnn_argument(&c->forward, d, DNNL_ARG_DST, &c->target, NULL));
    TRY(dnn_argument(&c->gradient, d, DNNL_ARG_SRC, &c->source, NULL));
    TRY(dnn_argument(&c->gradient, d, DNNL_ARG_DIFF_DST, &c->target, NULL));
    if (c->shape.bias) TRY(dnn_argument(&c->gradient, d, DNNL_ARG_DIFF_BIAS, &c->bias, NULL));
    TRY(dnn_argument(&c->gradient, d, DNNL_ARG_DIFF_WEIGHTS, &c->gradient_weights, NULL));
    if (c->data.primitive == NULL) return STATUS_OK;
    TRY(dnn_argument(&c->data, d, DNNL_ARG_DIFF_DST, &c->target, NULL));
    TRY(dnn_argument(&c->data, d, DNNL_ARG_WEIGHTS, &c->data_weights, c->data_scratch != NULL ? c->data_scratch : m->weights));
    return dnn_argument(&c->data, d, DNNL_ARG_DIFF_SRC, &c->source, NULL);
}

/* -- running ------------------------------------------------------------------------------------------------- */

int convolution_forward(const struct convolution *c, const struct dnn *d, float *source, float *target)
{
    TRY(dnn_move(&c->forward, DNNL_ARG_SRC, source));
    TRY(dnn_move(&c->forward, DNNL_ARG_DST, target));
    return dnn_run(&c->forward, d);
}

static void add(float *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] += from[i];
}

static int parameter_gradients(const struct convolution *c, const struct dnn *d, const struct convolution_part *p)
{
    const size_t weights = floats(&c->gradient_weights);
    TRY(dnn_move(&c->gradient, DNNL_ARG_SRC, p->source));
    TRY(dnn_move(&c->gradient, DNNL_ARG_DIFF_DST, p->target_gradient));
    TRY(dnn_move(&c->gradient, DNNL_ARG_DIFF_WEIGHTS, p->begin ? c->whole_gradient : c->part_gradient));
    if (c->shape.bias) TRY(dnn_move(&c->gradient, DNNL_ARG_DIFF_BIAS, p->begin ? c->bias_gradient : c->part_gradient + weights));
    TRY(dnn_run(&c->gradient, d));
    if (!p->begin) {
        add(c->whole_gradient, c->part_gradient, weights);
        add(c->bias_gradient, c->part_gradient + weights, convolution_bias(c));
    }
    return p->end && c->from_gradient.primitive != NULL ? dnn_run(&c->from_gradient, d) : STATUS_OK;
}

int convolution_backward(const struct convolution *c, const struct dnn *d, const struct convolution_part *p)
{
    TRY(parameter_gradients(c, d, p));
    if (p->source_gradient == NULL) return STATUS_OK;
    if (p->begin && c->to_data.primitive != NULL) TRY(dnn_run(&c->to_data, d));
    TRY(dnn_move(&c->data, DNNL_ARG_DIFF_DST, p->target_gradient));
    TRY(dnn_move(&c->data, DNNL_ARG_DIFF_SRC, p->source_gradient));
    return dnn_run(&c->data, d);
}

static int reorder_once(const struct dnn *d, const dnnl_memory_desc_t *to, float *target, const dnnl_memory_desc_t *from,
                        const float *source)
{
    struct dnn_call call = {0};
    int status = reorder(&call, d, to, target, from, (float *)source); /* the library has no type for memory that is only read */
    if (status == STATUS_OK) status = dnn_run(&call, d);
    dnn_release(&call);
    return status;
}

/* Copy weights between arrays with rounded and with true numbers of channels. */
static void copy_plain(float *to, int to_in, const float *from, int from_in, const struct convolution *c)
{
    const size_t window = (size_t)(c->shape.kernel * c->shape.kernel), in = c->shape.depthwise ? 1 : (size_t)c->plain_in;
    for (int o = 0; o < c->plain_out; o++)
        memcpy(to + (size_t)o * (size_t)to_in * window, from + (size_t)o * (size_t)from_in * window, in * window * sizeof *to);
}

static int rounded_in(const struct convolution *c)
{
    return c->shape.depthwise ? 1 : c->shape.in_channels;
}

static int true_in(const struct convolution *c)
{
    return c->shape.depthwise ? 1 : c->plain_in;
}

int convolution_pack(const struct convolution *c, const struct dnn *d, float *kept, const float *plain)
{
    float *rounded;
    TRY(memory_alloc(&rounded, dnnl_memory_desc_get_size(&c->plain), 1));
    copy_plain(rounded, rounded_in(c), plain, true_in(c), c);
    int status = reorder_once(d, &c->weights, kept, &c->plain, rounded);
    free(rounded);
    return status;
}

int convolution_unpack(const struct convolution *c, const struct dnn *d, float *plain, const float *kept)
{
    float *rounded;
    TRY(memory_alloc(&rounded, dnnl_memory_desc_get_size(&c->plain), 1));
    int status = reorder_once(d, &c->plain, rounded, &c->weights, kept);
    copy_plain(plain, true_in(c), rounded, rounded_in(c), c);
    free(rounded);
    return status;
}
