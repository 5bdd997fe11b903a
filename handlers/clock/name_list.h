/* name_list.h: sentences about several servers, within a given length. Pure.
 *
 * Servers are names[n], of which those count whose set[i] is true. What does not fit is
 * counted: "server-1, server-2 and 5 more". */
#ifndef NAME_LIST_H
#define NAME_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "server-1, server-2 and server-3", with `last` (" and ") before the last one. At least
 * one name is written, cut if it must be. Returns the number of servers in the set. */
int name_list(const char *const *names, const bool *set, int n, const char *last, char *ret,
              size_t size);

/* How a sentence says it of one server and of several. */
struct name_list_verb {
    const char *one;  /* "differs" */
    const char *many; /* "differ" */
};

/* "server-1 and server-2 differ by +2.0 s" where the figures (microseconds) read the same,
 * else "server-1 differs by +2.0 s, server-2 by -1.0 s". Returns as name_list(). */
int name_list_by(const char *const *names, const bool *set, int n, const int64_t *figures_us,
                 const struct name_list_verb *verb, char *ret, size_t size);

#endif
