/* SPDX-License-Identifier: MIT */
/* log_file.h: a log as a service writes it, rotated in the styles in use. */
#ifndef LOG_FILE_H
#define LOG_FILE_H

#include <stdio.h>

enum log_style {
    LOG_KEPT,  /* app-1.log: "create" and "dateext" before the extension; still among the logs */
    LOG_AWAY,  /* app.log.1: "create"; what was not read yet is not found by its name any more */
    LOG_COPIED /* app.log.1: "copytruncate"; what was not read yet is gone */
};

struct log_file {
    char path[500]; /* "<dir>/<name>.log" */
    enum log_style style;
    FILE *file;
    int rotated; /* so often */
};

/* Open <path>.log, to append. These fail the test. */
void log_file_open(struct log_file *log, const char *path, enum log_style style);

void log_file_rotate(struct log_file *log);

/* NULL file is accepted. */
void log_file_close(struct log_file *log);

#endif
