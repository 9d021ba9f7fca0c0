#include "scalapack.h"

#include "status.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Names of the library: Debian's, with the version that programs load, and what others call it. */
static const char *const library[] = {"libscalapack-openmpi.so.2.2", "libscalapack-openmpi.so", "libscalapack.so.2.2",
                                      "libscalapack.so"};

#define ROUTINE(name) {#name, offsetof(struct scalapack, name)}
static const struct {
    const char *name;
    size_t place;
} routine[] = {
    ROUTINE(Csys2blacs_handle), ROUTINE(Cfree_blacs_system_handle), ROUTINE(Cblacs_gridinit), ROUTINE(Cblacs_gridinfo),
    ROUTINE(Cblacs_gridexit), ROUTINE(numroc_), ROUTINE(descinit_), ROUTINE(pdpotrf_), ROUTINE(pdpotrs_), ROUTINE(pdpotri_), ROUTINE(pdtrsm_),
    ROUTINE(dpotrf_), ROUTINE(dpotrs_), ROUTINE(dpotri_), ROUTINE(dtrtri_), ROUTINE(dtrsm_), ROUTINE(dgemm_),
};

/* OpenBLAS 0.3.21 does not know the newest CPUs and takes AVX2 kernels on them, at half the speed. A user's choice stays. */
static void prepare_environment(void)
{
    setenv("OPENBLAS_NUM_THREADS", "1", 0);
#if defined __x86_64__ && defined __GNUC__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw"))
        setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
#endif
}

static int load(struct scalapack *s)
{
    void *handle = NULL;
    prepare_environment();
    for (size_t i = 0; i < sizeof library / sizeof library[0] && handle == NULL; i++) handle = dlopen(library[i], RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return status_fail(STATUS_FAILURE, "ScaLAPACK is not to be had: %s; install it (make deps), or name its folder in "
                           "LD_LIBRARY_PATH", dlerror());
    for (size_t i = 0; i < sizeof routine / sizeof routine[0]; i++) {
        void *address = dlsym(handle, routine[i].name); /* also in the libraries that ScaLAPACK needs itself */
        if (address == NULL) return status_fail(STATUS_FAILURE, "ScaLAPACK: no routine %s: %s", routine[i].name, dlerror());
        memcpy((char *)s + routine[i].place, &address, sizeof address);
    }
    return STATUS_OK;
}

int scalapack_open(const struct scalapack **out)
{
    static struct scalapack loaded;
    *out = &loaded;
    return loaded.dgemm_ != NULL ? STATUS_OK : load(&loaded);
}
