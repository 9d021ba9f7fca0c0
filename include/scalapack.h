/* scalapack.h - ScaLAPACK, the BLACS and LAPACK, which have no C headers: the routines that are called, and nothing else.
 *
 * The libraries are loaded when they are first needed. A run without dense linear algebra then pays nothing for them, and OpenBLAS,
 * which looks at its environment only while it is loaded, can be told before: one thread a rank, and the kernels of this CPU where
 * it would not find them by itself. All numbers are Fortran's: by address, int of 32 bits, matrices by columns. */
#ifndef SCALAPACK_H
#define SCALAPACK_H

#include <mpi.h>

enum { SCALAPACK_DESC = 9 };

struct scalapack {
    /* BLACS */
    int (*Csys2blacs_handle)(MPI_Comm comm);
    void (*Cfree_blacs_system_handle)(int handle);
    void (*Cblacs_gridinit)(int *context, const char *order, int rows, int columns);
    void (*Cblacs_gridinfo)(int context, int *rows, int *columns, int *row, int *column);
    void (*Cblacs_gridexit)(int context);
    /* ScaLAPACK */
    int (*numroc_)(const int *n, const int *nb, const int *process, const int *source, const int *processes);
    void (*descinit_)(int *desc, const int *m, const int *n, const int *mb, const int *nb, const int *row, const int *column,
                      const int *context, const int *lld, int *info);
    void (*pdpotrf_)(const char *uplo, const int *n, double *a, const int *ia, const int *ja, const int *desca, int *info);
    void (*pdpotrs_)(const char *uplo, const int *n, const int *nrhs, const double *a, const int *ia, const int *ja, const int *desca,
                     double *b, const int *ib, const int *jb, const int *descb, int *info);
    void (*pdpotri_)(const char *uplo, const int *n, double *a, const int *ia, const int *ja, const int *desca, int *info);
    void (*pdtrsm_)(const char *side, const char *uplo, const char *trans, const char *diag, const int *m, const int *n,
                    const double *alpha, const double *a, const int *ia, const int *ja, const int *desca, double *b, const int *ib,
                    const int *jb, const int *descb);
    /* LAPACK and BLAS */
    void (*dpotrf_)(const char *uplo, const int *n, double *a, const int *lda, int *info);
    void (*dpotrs_)(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b, const int *ldb,
                    int *info);
    void (*dpotri_)(const char *uplo, const int *n, double *a, const int *lda, int *info);
    void (*dtrtri_)(const char *uplo, const char *diag, const int *n, double *a, const int *lda, int *info);
    void (*dtrsm_)(const char *side, const char *uplo, const char *trans, const char *diag, const int *m, const int *n,
                   const double *alpha, const double *a, const int *lda, double *b, const int *ldb);
    void (*dgemm_)(const char *transa, const char *transb, const int *m, const int *n, const int *k, const double *alpha,
                   const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c, const int *ldc);
};

/* The routines, loaded once a process. STATUS_FAILURE when a library is not to be had. Not collective. */
int scalapack_open(const struct scalapack **out);

#endif
