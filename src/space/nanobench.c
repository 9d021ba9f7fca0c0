#include "nanobench.h"

const char *const nanobench_vocabulary[NANOBENCH_OPERATIONS] = {
    "input", "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3", "none", "dwconv3x3", "conv1x1", "atten", "expand", "split",
    "output",
};
