/* SPDX-License-Identifier: MIT */
/* apply.h: bring the configuration files of all shippers to given texts, as one set.
 *
 *   apply_recover   (0) roll back what a killed run left behind
 *   apply_look          what somebody else has changed
 *   apply_set       (1) skip what is right           (5) write the journal
 *                   (2) look at destinations, stage  (6) rename
 *                   (3) validate all                 (7) reload, confirm
 *                   (4) copy the old files           (8) journal away, leftovers away
 *
 * A failure after (5) rolls back: files first, then every shipper as its file says. The
 * caller holds a lock on `dir`. */
#ifndef APPLY_H
#define APPLY_H

#include "base/error.h"
#include "shipper/file_set.h"
#include "shipper/owned_files.h"
#include "shipper/shipper_config.h"

#include <stdbool.h>
#include <stddef.h>

/* Set dir and call apply_recover() first; all else zero. No heap memory. */
struct apply {
    const char *dir; /* of the journal */
    bool secret;     /* the texts of the set hold secrets (before apply_look()) */

    char remark[300]; /* what somebody else has changed, "" nothing */
    bool changed;     /* apply_set() has replaced or removed a file */
    bool recovered;   /* apply_recover() found a journal */
    bool owed;        /* files are rolled back, but the shippers could not follow */
    char failed[SHIPPER_CONFIG_MAX][FILE_SET_PATH]; /* rollback failed: of these files */
    size_t n_failed;

    struct owned_files applied; /* private */
    bool news;                  /* private: it has changed */
};

/* Roll back the files of a journal left behind. Needs no shippers, so that a broken
 * logging.d does not keep a half-swapped set. Returns 0, or why not: then nothing else may be
 * done, and the next run tries again. */
MUST_CHECK int apply_recover(struct apply *a, struct error *err);

/* After apply_recover(): remove leftovers of these shippers, and where it rolled back let the
 * shippers follow. A failure of that is no reason to stop: `owed` and `failed` say so, and
 * apply_set() then replaces and reloads everything, which may well succeed. */
void apply_recover_shippers(struct apply *a, struct shipper_config_list *shippers,
                            struct error *err);

/* Before apply_set(), which then replaces it: fill in `remark` with the destinations that
 * hold something else than what was put there last: "PATH was changed by somebody else:
 * replaced". */
void apply_look(struct apply *a, const struct shipper_config_list *shippers,
                const struct file_set_entry *files);

/* The set: files[i] belongs to shippers->shipper[i]; path, data, len, mode or remove filled.
 * What is to be removed is stopped before what is to be there is started. Returns 0; on failure the set is as it was before, unless
 * n_failed > 0. */
MUST_CHECK int apply_set(struct apply *a, struct shipper_config_list *shippers,
                         const struct file_set_entry *files, struct error *err);

#endif
