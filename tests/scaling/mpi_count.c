/* Counts what every rank asks of MPI. Linked into the program (build/scaling/siamese-nas), this file stands between the program
 * with its libraries and MPI: the profiling interface of the MPI standard, chapter 14. When the environment variable MPI_COUNT
 * names a file, every rank appends a line to it in MPI_Finalize:
 *
 *     rank=1 ranks=4 peak=41234 anon=12345 shared=2345 waited=0.12 longest=0.01 Send.calls=12 Send.sent=48 Send.received=0 Recv.calls=12 ...
 *
 * Bytes are those of the arguments, what a rank gives and what it gets; not what travels inside a collective. A receive counts
 * with the room it has. waited are the seconds spent in MPI_Recv. Memory is resident, in kB: the peak, and at the end what is private and what is shared memory (where MPI
 * keeps the queues between the ranks of one machine). */
#include <mpi.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KINDS(K)                                                                                                              \
    K(Send) K(Isend) K(Recv) K(Irecv) K(Imrecv) K(Sendrecv) K(Barrier) K(Ibarrier) K(Bcast) K(Ibcast) K(Reduce)               \
    K(Allreduce) K(Iallreduce) K(Gather) K(Gatherv) K(Scatterv) K(Allgather) K(Allgatherv) K(Comm_dup) K(Comm_split)          \
    K(File_open) K(File_close) K(File_sync) K(File_set_size) K(File_set_view) K(File_read_at) K(File_read_at_all)             \
    K(File_write_at) K(File_write_at_all)

#define NUMBER(name) KIND_##name,
#define NAME(name) #name,
enum kind { KINDS(NUMBER) KIND_COUNT };
static const char *const kind_name[] = {KINDS(NAME)};

static struct {
    long long calls, sent, received;
} total[KIND_COUNT];

static struct {
    double sum, longest; /* seconds */
} waited;

static long long bytes(long long count, MPI_Datatype type)
{
    int size;
    PMPI_Type_size(type, &size);
    return count * size;
}

static int size_of(MPI_Comm comm)
{
    int size;
    PMPI_Comm_size(comm, &size);
    return size;
}

static int is_root(int root, MPI_Comm comm)
{
    int rank;
    PMPI_Comm_rank(comm, &rank);
    return rank == root;
}

/* Sum of the parts of a collective whose parts differ. */
static long long parts(const int *count, MPI_Comm comm, MPI_Datatype type)
{
    long long sum = 0;
    for (int i = 0; i < size_of(comm); i++) sum += count[i];
    return bytes(sum, type);
}

static void add(enum kind kind, long long sent, long long received)
{
    total[kind].calls++;
    total[kind].sent += sent;
    total[kind].received += received;
}

/* -- point to point ----------------------------------------------------------------------------------------------- */

int MPI_Send(const void *b, int n, MPI_Datatype t, int to, int tag, MPI_Comm c)
{
    add(KIND_Send, bytes(n, t), 0);
    return PMPI_Send(b, n, t, to, tag, c);
}

int MPI_Isend(const void *b, int n, MPI_Datatype t, int to, int tag, MPI_Comm c, MPI_Request *r)
{
    add(KIND_Isend, bytes(n, t), 0);
    return PMPI_Isend(b, n, t, to, tag, c, r);
}

int MPI_Recv(void *b, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Status *s)
{
    const double begin = PMPI_Wtime();
    const int code = PMPI_Recv(b, n, t, from, tag, c, s);
    const double seconds = PMPI_Wtime() - begin;
    add(KIND_Recv, 0, bytes(n, t));
    waited.sum += seconds;
    if (seconds > waited.longest) waited.longest = seconds;
    return code;
}

int MPI_Irecv(void *b, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Request *r)
{
    add(KIND_Irecv, 0, bytes(n, t));
    return PMPI_Irecv(b, n, t, from, tag, c, r);
}

int MPI_Imrecv(void *b, int n, MPI_Datatype t, MPI_Message *m, MPI_Request *r)
{
    add(KIND_Imrecv, 0, bytes(n, t));
    return PMPI_Imrecv(b, n, t, m, r);
}

int MPI_Sendrecv(const void *a, int an, MPI_Datatype at, int to, int atag, void *b, int bn, MPI_Datatype bt, int from, int btag,
                 MPI_Comm c, MPI_Status *s)
{
    add(KIND_Sendrecv, bytes(an, at), bytes(bn, bt));
    return PMPI_Sendrecv(a, an, at, to, atag, b, bn, bt, from, btag, c, s);
}

/* -- collective --------------------------------------------------------------------------------------------------- */

int MPI_Barrier(MPI_Comm c)
{
    add(KIND_Barrier, 0, 0);
    return PMPI_Barrier(c);
}

int MPI_Ibarrier(MPI_Comm c, MPI_Request *r)
{
    add(KIND_Ibarrier, 0, 0);
    return PMPI_Ibarrier(c, r);
}

static void add_bcast(enum kind kind, long long size, int root, MPI_Comm c)
{
    const int gives = is_root(root, c);
    add(kind, gives ? size : 0, gives ? 0 : size);
}

int MPI_Bcast(void *b, int n, MPI_Datatype t, int root, MPI_Comm c)
{
    add_bcast(KIND_Bcast, bytes(n, t), root, c);
    return PMPI_Bcast(b, n, t, root, c);
}

int MPI_Ibcast(void *b, int n, MPI_Datatype t, int root, MPI_Comm c, MPI_Request *r)
{
    add_bcast(KIND_Ibcast, bytes(n, t), root, c);
    return PMPI_Ibcast(b, n, t, root, c, r);
}

int MPI_Reduce(const void *a, void *b, int n, MPI_Datatype t, MPI_Op op, int root, MPI_Comm c)
{
    add(KIND_Reduce, bytes(n, t), is_root(root, c) ? bytes(n, t) : 0);
    return PMPI_Reduce(a, b, n, t, op, root, c);
}

int MPI_Allreduce(const void *a, void *b, int n, MPI_Datatype t, MPI_Op op, MPI_Comm c)
{
    add(KIND_Allreduce, bytes(n, t), bytes(n, t));
    return PMPI_Allreduce(a, b, n, t, op, c);
}

int MPI_Iallreduce(const void *a, void *b, int n, MPI_Datatype t, MPI_Op op, MPI_Comm c, MPI_Request *r)
{
    add(KIND_Iallreduce, bytes(n, t), bytes(n, t));
    return PMPI_Iallreduce(a, b, n, t, op, c, r);
}

int MPI_Gather(const void *a, int an, MPI_Datatype at, void *b, int bn, MPI_Datatype bt, int root, MPI_Comm c)
{
    if (is_root(root, c)) add(KIND_Gather, 0, bytes(bn, bt) * (size_of(c) - 1));
    else add(KIND_Gather, bytes(an, at), 0);
    return PMPI_Gather(a, an, at, b, bn, bt, root, c);
}

int MPI_Gatherv(const void *a, int an, MPI_Datatype at, void *b, const int *bn, const int *place, MPI_Datatype bt, int root,
                MPI_Comm c)
{
    if (is_root(root, c)) add(KIND_Gatherv, 0, parts(bn, c, bt));
    else add(KIND_Gatherv, bytes(an, at), 0);
    return PMPI_Gatherv(a, an, at, b, bn, place, bt, root, c);
}

int MPI_Scatterv(const void *a, const int *an, const int *place, MPI_Datatype at, void *b, int bn, MPI_Datatype bt, int root,
                 MPI_Comm c)
{
    if (is_root(root, c)) add(KIND_Scatterv, parts(an, c, at), 0);
    else add(KIND_Scatterv, 0, bytes(bn, bt));
    return PMPI_Scatterv(a, an, place, at, b, bn, bt, root, c);
}

int MPI_Allgather(const void *a, int an, MPI_Datatype at, void *b, int bn, MPI_Datatype bt, MPI_Comm c)
{
    add(KIND_Allgather, bytes(bn, bt), bytes(bn, bt) * (size_of(c) - 1));
    return PMPI_Allgather(a, an, at, b, bn, bt, c);
}

int MPI_Allgatherv(const void *a, int an, MPI_Datatype at, void *b, const int *bn, const int *place, MPI_Datatype bt, MPI_Comm c)
{
    add(KIND_Allgatherv, a == MPI_IN_PLACE ? 0 : bytes(an, at), parts(bn, c, bt));
    return PMPI_Allgatherv(a, an, at, b, bn, place, bt, c);
}

int MPI_Comm_dup(MPI_Comm c, MPI_Comm *new)
{
    add(KIND_Comm_dup, 0, 0);
    return PMPI_Comm_dup(c, new);
}

int MPI_Comm_split(MPI_Comm c, int colour, int key, MPI_Comm *new)
{
    add(KIND_Comm_split, 0, 0);
    return PMPI_Comm_split(c, colour, key, new);
}

/* -- files -------------------------------------------------------------------------------------------------------- */

int MPI_File_open(MPI_Comm c, const char *path, int mode, MPI_Info i, MPI_File *f)
{
    add(KIND_File_open, 0, 0);
    return PMPI_File_open(c, path, mode, i, f);
}

int MPI_File_close(MPI_File *f)
{
    add(KIND_File_close, 0, 0);
    return PMPI_File_close(f);
}

int MPI_File_sync(MPI_File f)
{
    add(KIND_File_sync, 0, 0);
    return PMPI_File_sync(f);
}

int MPI_File_set_size(MPI_File f, MPI_Offset size)
{
    add(KIND_File_set_size, 0, 0);
    return PMPI_File_set_size(f, size);
}

int MPI_File_set_view(MPI_File f, MPI_Offset from, MPI_Datatype e, MPI_Datatype t, const char *how, MPI_Info i)
{
    add(KIND_File_set_view, 0, 0);
    return PMPI_File_set_view(f, from, e, t, how, i);
}

int MPI_File_read_at(MPI_File f, MPI_Offset at, void *b, int n, MPI_Datatype t, MPI_Status *s)
{
    add(KIND_File_read_at, 0, bytes(n, t));
    return PMPI_File_read_at(f, at, b, n, t, s);
}

int MPI_File_read_at_all(MPI_File f, MPI_Offset at, void *b, int n, MPI_Datatype t, MPI_Status *s)
{
    add(KIND_File_read_at_all, 0, bytes(n, t));
    return PMPI_File_read_at_all(f, at, b, n, t, s);
}

int MPI_File_write_at(MPI_File f, MPI_Offset at, const void *b, int n, MPI_Datatype t, MPI_Status *s)
{
    add(KIND_File_write_at, bytes(n, t), 0);
    return PMPI_File_write_at(f, at, b, n, t, s);
}

int MPI_File_write_at_all(MPI_File f, MPI_Offset at, const void *b, int n, MPI_Datatype t, MPI_Status *s)
{
    add(KIND_File_write_at_all, bytes(n, t), 0);
    return PMPI_File_write_at_all(f, at, b, n, t, s);
}

/* -- the end ------------------------------------------------------------------------------------------------------ */

static long memory(const char *what)
{
    char line[256];
    long kilobytes = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, what, strlen(what)) == 0) kilobytes = strtol(line + strlen(what) + 1, NULL, 10);
    if (f != NULL) fclose(f);
    return kilobytes;
}

static void write_line(const char *path)
{
    char line[8192];
    int rank, n;
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    n = snprintf(line, sizeof line, "rank=%d ranks=%d peak=%ld anon=%ld shared=%ld waited=%.6f longest=%.6f", rank,
                 size_of(MPI_COMM_WORLD), memory("VmHWM"), memory("RssAnon"), memory("RssShmem"), waited.sum, waited.longest);
    for (int i = 0; i < KIND_COUNT; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, " %s.calls=%lld %s.sent=%lld %s.received=%lld", kind_name[i], total[i].calls,
                      kind_name[i], total[i].sent, kind_name[i], total[i].received);
    line[n++] = '\n';
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666); /* one write a rank: lines stay whole */
    if (file < 0 || write(file, line, (size_t)n) != n) perror(path);
    if (file >= 0) close(file);
}

int MPI_Finalize(void)
{
    const char *path = getenv("MPI_COUNT");
    if (path != NULL) write_line(path);
    return PMPI_Finalize();
}
