#include "launch.h"

#include <stddef.h>
#include <stdlib.h>

/* The number in the first of these variables that is set. */
static int first_of(const char *const *name, int otherwise)
{
    for (; *name != NULL; name++) {
        const char *value = getenv(*name);
        if (value != NULL) return atoi(value);
    }
    return otherwise;
}

int launch_rank(void)
{
    static const char *const name[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", NULL};
    static const char *const of_slurm[] = {"SLURM_PROCID", NULL};
    /* A batch script is not a launcher's task, although Slurm sets SLURM_PROCID for it as well: it has no step of its own. */
    return first_of(name, getenv("SLURM_STEP_ID") != NULL ? first_of(of_slurm, 0) : 0);
}

int launch_rank_on_node(void)
{
    static const char *const name[] = {"OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID", NULL};
    return first_of(name, 0);
}

int launch_ranks_on_node(void)
{
    static const char *const name[] = {"OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_STEP_TASKS_PER_NODE", NULL}; /* "64(x3),10": near enough */
    const int ranks = first_of(name, 1);
    return ranks < 1 ? 1 : ranks;
}
