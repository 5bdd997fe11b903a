/* SPDX-License-Identifier: MIT */
/* sources.h: can the log shipper's user read what is to be shipped, and is there room for its
 * queue? Asked as that user. */
#ifndef SOURCES_H
#define SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCES_TEXT 300 /* bytes of a sentence with NUL */

/* Look for files that match n globs (absolute; * and ? in the last component). except: paths
 * which are not shipped. Printable sentences, with the command that helps:
 *
 * ret_unread  what is there and cannot be read, and directories that are not there; "" nothing
 * ret_nothing a glob that no file matches, "" none */
void sources_look(const char *const *globs, size_t n, const char *const *except, size_t n_except,
                  char ret_unread[SOURCES_TEXT], char ret_nothing[SOURCES_TEXT]);

/* Call fn (NULL: none) for each file that matches the glob and is none of except. Returns how many they
 * are. */
typedef void sources_fn(void *arg, const char *path);
size_t sources_each(const char *glob, const char *const *except, size_t n_except, sources_fn *fn,
                    void *arg);

/* Is there less room on the file system of this directory than its queue may still need: `most`
 * bytes, less what is in it now? A sentence; "" when there is enough, or that is not known. */
void sources_look_at_room(const char *dir, uint64_t most, char ret[SOURCES_TEXT]);

#endif
