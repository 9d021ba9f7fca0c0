/* log.h - what rank 0 tells the user. Standard output carries the log, standard error warnings and errors.
 * All functions are silent on other ranks. */
#ifndef LOG_H
#define LOG_H

/* Call once on each rank, before the first message. Makes standard output line-buffered. */
void log_open(int rank);

__attribute__((format(printf, 1, 2))) void log_info(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_warning(const char *format, ...);

/* Print "siamese-nas: error: MESSAGE" on standard error. */
void log_error(const char *message);

/* The same on whatever rank, which is about to end all others, with its number and its machine. What all ranks of a node have to say is
 * said once: those behind the first wait for some seconds, in which the launcher ends them. */
void log_last_words(const char *message);

#endif
