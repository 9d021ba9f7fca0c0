#include "executor_internal.h"

#include "memory.h"
#include "status.h"

/* A batch goes through the layers in parts small enough that what one layer made is still in the cache for the next. Only a
 * normalisation needs the whole batch: a join that normalises what a layer of the same stage makes begins a new one. So a stage finds
 * the moments of what it normalises complete, and, backwards, the sums that gradients of normalised inputs need. */

static bool begins_stage(const struct executor *x, int l, int first)
{
    const struct network *n = x->network;
    for (int i = 0; i < n->layer[l].inputs; i++) {
        const struct layer_input *input = executor_input(x, l, i);
        if (input->normalised && n->tensor[input->tensor].producer >= first) return true;
    }
    return false;
}

/* Images of a part: a divisor of the batch. */
static int part_of(const struct executor *x, int first, int last)
{
    size_t floats = 0;
    int parts = 1;
    for (int l = first; l <= last; l++) {
        const size_t out = executor_image_floats(x, x->network->layer[l].output);
        if (out > floats) floats = out;
    }
    while (parts < x->batch && (x->batch % parts != 0 || floats * (size_t)(x->batch / parts) > x->part_floats)) parts++;
    return x->batch / parts;
}

static void find_stages(struct executor *x)
{
    const int layers = x->network->layers;
    for (int first = 0, last; first < layers; first = last + 1) {
        for (last = first; last + 1 < layers && !begins_stage(x, last + 1, first);) last++;
        const int images = part_of(x, first, last);
        for (int l = first; l <= last; l++) x->layer[l].first = first, x->layer[l].last = last, x->layer[l].images = images;
    }
}

/* Every other stage takes the parts from the last to the first, so that it begins with what has just been made. */
int executor_divide(struct executor *x)
{
    find_stages(x);
    for (int l = 0; l < x->network->layers; l++) x->steps += x->batch / x->layer[l].images;
    TRY(memory_alloc(&x->step, (size_t)x->steps, sizeof *x->step));
    struct executor_step *step = x->step;
    bool back = false;
    for (int first = 0; first < x->network->layers; first = x->layer[first].last + 1, back = !back)
        for (int image = 0, images = x->layer[first].images; image < x->batch; image += images)
            for (int l = first; l <= x->layer[first].last; l++)
                *step++ = (struct executor_step){.layer = l, .first = back ? x->batch - images - image : image, .images = images,
                                                 .begin = image == 0, .end = image + images == x->batch};
    return STATUS_OK;
}
