/* SPDX-License-Identifier: MIT */
/* text.h: which bytes pass, and lists of names that fit. Pure.
 *
 * Texts from outside reach logs, checks and terminals as printable ASCII (' ' to '~') only.
 * What enters a configuration file must pass the barrier: printable, no blank, and none of
 * the characters that mean something to a shell, to RainerScript, YAML or TOML. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The character, or '?' when it is not printable ASCII. */
char text_printable(char c);

/* Replace every other character by '?'. */
void text_clean(char *text);

/* Copy from, cut at size - 1 bytes, with '?' for what is not printable; the second takes n
 * bytes, whatever they are (a NUL becomes '?'), the third also a blank as not printable. */
void text_copy(char *ret, size_t size, const char *from);
void text_copy_bytes(char *ret, size_t size, const char *from, size_t n);
void text_copy_word(char *ret, size_t size, const char *from, size_t n);

/* Is all of it printable? Without a blank? True for "". */
bool text_is_printable(const char *text);
bool text_is_word(const char *text);

/* May the character, all of the text pass the barrier? True for "". */
bool text_passes(char c);
bool text_all_pass(const char *text);

/* The name nearest to a misspelt one, at most 3 letters (and less than half of it) wrong, case
 * aside; NULL if there is none. Borrowed from names[n]. */
const char *text_nearest(const char *word, const char *const *names, size_t n);

/* A list that is written one item after the other, within a given size. */
struct text_list {
    char *text; /* where it is written */
    size_t size;
    size_t len;
    int total;   /* items there are */
    int most;    /* items that are written at most */
    int written; /* items that are */
};

void text_list_begin(struct text_list *list, char *ret, size_t size, int total, int most);

/* Write the next item, after `between` unless it is the first. False when it does not fit:
 * then " and 3 more" has ended the list. The first item is written always, cut if it must
 * be. */
bool text_list_add(struct text_list *list, const char *between, const char *item);

/* "a, b and c" with `last` (" and ") before the last one: of names[n] those whose set[i] is
 * true. What does not fit is counted: "a, b and 3 more". Returns their number. */
int text_names(const char *const *names, const bool *set, int n, const char *last, char *ret,
               size_t size);

#endif
