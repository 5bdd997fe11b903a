/* SPDX-License-Identifier: MIT */
/* settings_print.h: settings as text: the values in force, and the table. Pure. */
#ifndef SETTINGS_PRINT_H
#define SETTINGS_PRINT_H

#include "settings/settings.h"

/* Append the value in force as text, in its one spelling; nothing for none. Returns 0 or
 * as buffer_append(). */
MUST_CHECK int settings_print_value(const struct settings *s, enum setting setting,
                                    struct buffer *out);

/* The table for the README, GitHub Markdown. */
MUST_CHECK int settings_print_table(struct buffer *out);

#endif
