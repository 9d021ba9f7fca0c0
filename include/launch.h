/* launch.h - what a launcher tells each process before MPI begins: Open MPI's, PMIx, PMI, Slurm's. */
#ifndef LAUNCH_H
#define LAUNCH_H

/* The rank; 0 when there was no launcher. */
int launch_rank(void);

/* Which of the ranks on this node, and how many these are; 0 of 1 when nobody says. */
int launch_rank_on_node(void);
int launch_ranks_on_node(void);

#endif
