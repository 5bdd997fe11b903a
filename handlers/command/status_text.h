/* SPDX-License-Identifier: MIT */
/* status_text.h: a view of the cluster as one screen for a person, and as JSON. Pure. */
#ifndef STATUS_TEXT_H
#define STATUS_TEXT_H

#include "base/buffer.h"
#include "command/status_view.h"

#include <stdbool.h>

/* Append the screen: at most 80 columns wide, but for what a verdict says. colour: with the usual escape sequences.
 * Returns 0, -EMSGSIZE or -ENOMEM. */
MUST_CHECK int status_text(const struct status_view *view, bool colour, struct buffer *out);

/* Append it as a JSON object in one line; tests/programs/status.schema.json describes it. Returns as
 * status_text(). */
MUST_CHECK int status_json(const struct status_view *view, struct buffer *out);

#endif
