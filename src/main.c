/* siamese-nas COMMAND ...: find the command, give it MPI if it wants it, print what went wrong, return the status. */
#include "cmd.h"
#include "launch.h"
#include "log.h"
#include "memory.h"
#include "nearest.h"
#include "status.h"
#include "version.h"

#include <mpi.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __SSE__
#include <xmmintrin.h>
#endif

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    bool parallel;
    const char *help, *summary;
};

static const struct command command[] = {
    {"run", cmd_run, true, cmd_run_help, "run the experiment of a job file (with mpirun or srun on many ranks)"},
    {"report", cmd_report, false, cmd_report_help, "print the table of one or more results files"},
    {"merge", cmd_merge, false, cmd_merge_help, "make one results file of those of a job's parts"},
    {"import", cmd_import, false, cmd_import_help, "make a space file from a CSV table or a folder of JSON cells"},
    {"generate", cmd_generate, false, cmd_generate_help, "make a space file of all cells of NAS-Bench-201 or Tiny-NanoBench"},
    {"info", cmd_info, false, cmd_info_help, "show what is in a space file"},
    {"analyse", cmd_analyse, true, cmd_analyse_help, "how well signals and early losses of a table order its cells; what cells share"},
    {"train", cmd_train, true, cmd_train_help, "train the cells of a space for real, and make it a table"},
    {"fit", cmd_fit, true, cmd_fit_help, "train the predictor of one trial and keep its weights"},
    {"predict", cmd_predict, true, cmd_predict_help, "score cells with the weights of a trained predictor"},
    {"ceiling", cmd_ceiling, true, cmd_ceiling_help, "how much of the accuracy cells, codes and signals can explain"},
};
enum { COMMANDS = sizeof command / sizeof command[0] };

static void print_help(void)
{
    puts("siamese-nas - predictor-based neural architecture search with MPI\n\nusage: siamese-nas COMMAND [options] ...\n");
    for (int i = 0; i < COMMANDS; i++) printf("  %-8s %s\n", command[i].name, command[i].summary);
    puts("\n  siamese-nas COMMAND --help   options of a command\n"
         "  siamese-nas --version        versions of program and libraries\n\n"
         "Job files: inputs/example.ini documents every key. Exit status: 0 done, 1 failed at run time, 2 wrong input,\n"
         "75 stopped before the work was done: the same command goes on.");
}

static void print_version(void)
{
    printf("siamese-nas %s (revision %s)\n%s\n%s, NetCDF %s\n", version_number, version_revision, version_compiler,
           version_mpi(), version_netcdf());
}

/* Bytes of addresses that MPI takes, and parallel NetCDF later: Open MPI's ranks of a node map a segment of each other. */
static size_t mpi_room(void)
{
    enum { ROOM_MIB = 90, ROOM_A_RANK_MIB = 5, RANKS_MAX = 4096 };
    const int ranks = launch_ranks_on_node();
    return (size_t)(ROOM_MIB + ROOM_A_RANK_MIB * (ranks < RANKS_MAX ? ranks : RANKS_MAX)) << 20;
}

/* Gradients and Adam's moments of hardly used weights decay into denormal numbers, which cost x86 a hundred times the
 * time of others and are far too small to matter. */
static void flush_denormals(void)
{
#ifdef __SSE__
    const unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
    _mm_setcsr(_mm_getcsr() | flush_to_zero | denormals_are_zero);
#endif
}

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(name, command[i].name) == 0) return &command[i];
    return NULL;
}

static int fail_unknown(const char *name)
{
    const char *known[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) known[i] = command[i].name;
    const char *near = nearest_name(name, known, COMMANDS);
    if (near != NULL) return status_fail(STATUS_INPUT, "unknown command '%s'; the nearest known one is %s", name, near);
    char *all;
    TRY(memory_join(&all, known, COMMANDS, ", "));
    const int status = status_fail(STATUS_INPUT, "unknown command '%s'; known are %s", name, all);
    free(all);
    return status;
}

/* `siamese-nas help COMMAND` */
static int help_of(const char *name)
{
    const struct command *c = find_command(name);
    if (c == NULL) return fail_unknown(name);
    fputs(c->help, stdout);
    return STATUS_OK;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

/* Print the message of a failure, if there was one, and leave nothing unwritten. */
static int finish(int status)
{
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (lost && status == STATUS_OK) status = status_fail(STATUS_FAILURE, "cannot write to standard output");
    if (status == STATUS_STOPPED) log_info("%s", status_message());
    else if (status != STATUS_OK) log_error(status_message());
    return status;
}

static int run_parallel(const struct command *c, int argc, char **argv)
{
    int provided, rank;
    if (memory_require(mpi_room(), "MPI") != STATUS_OK) {
        log_last_words(status_message());
        return STATUS_FAILURE;
    }
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided); /* one thread calls MPI, a library may have others */
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    log_open(rank);
    int status = finish(c->run(argc, argv));
    MPI_Barrier(MPI_COMM_WORLD); /* a launcher ends all ranks when one has failed: not before the message is out */
    MPI_Finalize();
    return status;
}

static int run_serial(const struct command *c, int argc, char **argv)
{
    if (argc < 2) return status_fail(STATUS_INPUT, "no command; siamese-nas --help lists them");
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 && argc > 2) return help_of(argv[2]);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        print_help();
    else if (strcmp(name, "--version") == 0)
        print_version();
    else if (c == NULL)
        return fail_unknown(name);
    else if (wants_help(argc - 1, argv + 1))
        fputs(c->help, stdout);
    else
        return c->run(argc - 1, argv + 1);
    return STATUS_OK;
}

/* glibc raises its threshold for memory of its own mapping with every large block that is freed, and then keeps what later blocks
 * leave behind. Large blocks are few here: give each back to the system. MPI's threads, which do little, would each take 64 MB of
 * addresses for theirs. */
static void spare_memory(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 1 << 18);
    mallopt(M_ARENA_MAX, 1);
#endif
}

int main(int argc, char **argv)
{
    flush_denormals();
    spare_memory();
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a failed write to report, no reason to die */
    const struct command *c = argc < 2 ? NULL : find_command(argv[1]);
    if (c != NULL && c->parallel && !wants_help(argc - 1, argv + 1)) return run_parallel(c, argc - 1, argv + 1);
    /* What needs no MPI is done by the first process alone: once, not once a rank. */
    if (launch_rank() != 0) return STATUS_OK;
    log_open(0);
    return finish(run_serial(c, argc, argv));
}
