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

/* The same on whatever rank, for one that is about to end all others. */
void log_last_words(const char *message);

#endif
