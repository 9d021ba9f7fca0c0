/* dnn.h - the little that is used of oneDNN: convolutions and poolings on tensors in blocks of channels, bound to memory.
 *
 * Tensors are [N][C / block][H][W][block] (oneDNN's nChw16c with AVX-512, nChw8c otherwise): its convolutions are fastest on these,
 * and a pixel of one block is one vector for the kernels of join.h. Channels are padded with zeros. The images alone are
 * [N][C][H][W]. One thread: ranks are the parallelism. */
#ifndef DNN_H
#define DNN_H

#include <oneapi/dnnl/dnnl.h>

#include <stdbool.h>
#include <stddef.h>

struct dnn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    int block;              /* channels of a block: 16 or 8 */
};

int dnn_open(struct dnn *d);
void dnn_close(struct dnn *d); /* accepts a zeroed struct */

/* STATUS_FAILURE with what failed. */
int dnn_check(dnnl_status_t code, const char *what);

/* A tensor's descriptor. plain: [N][C][H][W]. */
int dnn_tensor(dnnl_memory_desc_t *md, const struct dnn *d, int batch, int channels, int height, int width, bool plain);

struct dnn_call { /* a primitive with its arguments */
    dnnl_primitive_t primitive;
    int arguments;
    dnnl_exec_arg_t argument[4];
};

/* Make the primitive of a description that *pd was made from; *pd is released. */
int dnn_primitive(struct dnn_call *call, dnnl_primitive_desc_t *pd, const char *what);
int dnn_argument(struct dnn_call *call, const struct dnn *d, int kind, const dnnl_memory_desc_t *md, void *data);
int dnn_move(const struct dnn_call *call, int kind, void *data); /* the argument stands elsewhere from now on */
int dnn_run(const struct dnn_call *call, const struct dnn *d);
void dnn_release(struct dnn_call *call);

/* ---- convolution, padded so that stride 1 keeps the side ---- */

struct convolution_shape {
    int batch, parts;   /* images of a call, and how many calls it takes for all */
    int in_channels, in_height, in_width, out_channels, kernel, stride;
    bool depthwise, bias, images; /* images: the input is plain, and its gradient is not wanted */
};

struct convolution {
    struct convolution_shape shape;                          /* channels rounded up to whole blocks, except those of images */
    int plain_in, plain_out;                                 /* the true numbers */
    dnnl_memory_desc_t source, target;
    dnnl_memory_desc_t weights, bias, plain;                 /* weights: as kept; plain: rounded [out][in][k][k] */
    dnnl_memory_desc_t data_weights, gradient_weights;       /* as the backward passes want them */
    struct dnn_call forward, data, gradient, to_data, from_gradient;
    float *data_scratch, *gradient_scratch;                  /* NULL where the kept layout serves; owned */
    float *whole_gradient, *bias_gradient;
    float *part_gradient;                                    /* of weights, then of the bias; NULL for one part; owned */
};

/* Choose the kernels and the layout of the weights. */
int convolution_create(struct convolution *c, const struct dnn *d, const struct convolution_shape *shape);
void convolution_destroy(struct convolution *c);

size_t convolution_weights(const struct convolution *c); /* floats that the kept weights take, padding included */
size_t convolution_bias(const struct convolution *c);

struct convolution_memory {
    float *weights, *bias, *weights_gradient, *bias_gradient;
};
int convolution_bind(struct convolution *c, const struct dnn *d, const struct convolution_memory *m);

int convolution_forward(const struct convolution *c, const struct dnn *d, float *source, float *target);

/* The gradients of the parameters are sums over the parts, from the one that begins to the one that ends. */
struct convolution_part {
    float *source, *source_gradient, *target_gradient; /* source_gradient NULL: not wanted */
    bool begin, end;
};
int convolution_backward(const struct convolution *c, const struct dnn *d, const struct convolution_part *p);

/* Between the kept layout and [out][in][k][k] ([out][1][k][k] when depthwise). */
int convolution_pack(const struct convolution *c, const struct dnn *d, float *kept, const float *plain);
int convolution_unpack(const struct convolution *c, const struct dnn *d, float *plain, const float *kept);

/* ---- average pooling ---- */

struct pooling {
    dnnl_memory_desc_t source, target;
    struct dnn_call forward, backward;
};

/* kernel 3, stride 1: padded by 1, padding not counted; kernel 2, stride 2. */
int pooling_create(struct pooling *p, const struct dnn *d, int batch, int channels, int height, int width, int kernel, int stride);
void pooling_destroy(struct pooling *p);
int pooling_forward(const struct pooling *p, const struct dnn *d, float *source, float *target);
int pooling_backward(const struct pooling *p, const struct dnn *d, float *source_gradient, float *target_gradient);

#endif
