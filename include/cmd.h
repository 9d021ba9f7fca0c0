/* cmd.h - the subcommands, one file each in src/cmd. argv[0] is the subcommand's name. Each returns an exit status of
 * status.h and leaves the message of a failure to main; --help prints the help text and returns STATUS_OK. */
#ifndef CMD_H
#define CMD_H

extern const char cmd_import_help[], cmd_generate_help[], cmd_info_help[], cmd_run_help[], cmd_fit_help[], cmd_predict_help[],
    cmd_train_help[],
    cmd_report_help[], cmd_merge_help[], cmd_analyse_help[], cmd_ceiling_help[];

/* Serial: on one process, before or without MPI_Init. */
int cmd_import(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_merge(int argc, char **argv);

int cmd_run(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_fit(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_analyse(int argc, char **argv);
int cmd_ceiling(int argc, char **argv);

/* Describe what getopt_long() has just refused with '?' or ':' (opterr = 0, option string beginning with ':'). */
int cmd_option_error(int result, char *const *argv);

/* The default name of an output: `ending` instead of .nc behind `path`. Release with free(). */
int cmd_output_name(char **out, const char *path, const char *ending);

/* The number of seconds, 0 or more, that an option of the command `name` gives. */
int cmd_seconds(double *seconds, const char *name, const char *option, const char *text);

/* The command line as one would type it, for the history of a file; to be called before getopt_long() sorts the arguments.
 * Release with free(). */
int cmd_line(char **out, int argc, char **argv);

#endif
