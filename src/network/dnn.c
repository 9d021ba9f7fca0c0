#include "dnn.h"

#include "status.h"

#include <omp.h>

int dnn_check(dnnl_status_t code, const char *what)
{
    if (code == dnnl_success) return STATUS_OK;
    static const char *const reason[] = {
        [dnnl_success] = "", [dnnl_out_of_memory] = "out of memory", [dnnl_invalid_arguments] = "invalid arguments",
        [dnnl_unimplemented] = "not implemented for this shape", [dnnl_iterator_ends] = "end of list",
        [dnnl_runtime_error] = "run-time error", [dnnl_not_required] = "not required",
    };
    bool known = code >= 0 && code < (int)(sizeof reason / sizeof reason[0]);
    return status_fail(STATUS_FAILURE, "oneDNN: %s: %s", what, known ? reason[code] : "unknown error");
}

int dnn_open(struct dnn *d)
{
    *d = (struct dnn){0};
    omp_set_num_threads(1);
    TRY(dnn_check(dnnl_engine_create(&d->engine, dnnl_cpu, 0), "open the engine"));
    TRY(dnn_check(dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags), "open the stream"));
    const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    d->block = (isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core ? 16 : 8;
    return STATUS_OK;
}

void dnn_close(struct dnn *d)
{
    if (d->stream != NULL) dnnl_stream_destroy(d->stream);
    if (d->engine != NULL) dnnl_engine_destroy(d->engine);
    *d = (struct dnn){0};
}

int dnn_tensor(dnnl_memory_desc_t *md, const struct dnn *d, int batch, int channels, int height, int width, bool plain)
{
    const dnnl_dims_t dims = {batch, channels, height, width};
    const dnnl_format_tag_t tag = plain ? dnnl_nchw : d->block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
    return dnn_check(dnnl_memory_desc_init_by_tag(md, 4, dims, dnnl_f32, tag), "describe a tensor");
}

int dnn_primitive(struct dnn_call *call, dnnl_primitive_desc_t *pd, const char *what)
{
    dnnl_status_t code = dnnl_primitive_create(&call->primitive, *pd);
    dnnl_primitive_desc_destroy(*pd);
    *pd = NULL;
    return dnn_check(code, what);
}

int dnn_argument(struct dnn_call *call, const struct dnn *d, int kind, const dnnl_memory_desc_t *md, void *data)
{
    dnnl_memory_t memory;
    TRY(dnn_check(dnnl_memory_create(&memory, md, d->engine, data), "bind memory"));
    call->argument[call->arguments++] = (dnnl_exec_arg_t){kind, memory};
    return STATUS_OK;
}

int dnn_move(const struct dnn_call *call, int kind, void *data)
{
    int i = 0;
    while (call->argument[i].arg != kind) i++;
    return dnn_check(dnnl_memory_set_data_handle(call->argument[i].memory, data), "move memory");
}

int dnn_run(const struct dnn_call *call, const struct dnn *d)
{
    return dnn_check(dnnl_primitive_execute(call->primitive, d->stream, call->arguments, call->argument), "run a layer");
}

void dnn_release(struct dnn_call *call)
{
    for (int i = 0; i < call->arguments; i++) dnnl_memory_destroy(call->argument[i].memory);
    if (call->primitive != NULL) dnnl_primitive_destroy(call->primitive);
    *call = (struct dnn_call){0};
}
