/* SPDX-License-Identifier: MIT */
#include "shipper/apply.h"

#include "shipper/retired_shippers.h"
#include "shipper/shipper_commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is to be done. Entries of `stop` and `reload` may be NULL. */
struct plan {
    struct file_set_entry swap[SHIPPER_CONFIG_MAX];
    const struct shipper_config *owner[SHIPPER_CONFIG_MAX]; /* of swap[i] */
    size_t n;
    const struct shipper_config *stop[SHIPPER_CONFIG_MAX];
    const struct shipper_config *reload[SHIPPER_CONFIG_MAX];
    bool change; /* a file is not as it shall be */
};

/* ---- back ---------------------------------------------------------------- */

static void add_failed(struct apply *a, const struct file_set_entry *files, size_t n, bool all)
{
    for (size_t i = 0; i < n && a->n_failed < SHIPPER_CONFIG_MAX; i++) {
        if (all || files[i].failed)
            memcpy(a->failed[a->n_failed++], files[i].path, FILE_SET_PATH);
    }
}

static int roll_back(struct apply *a, struct file_set_entry *files, size_t n, struct error *err)
{
    int rc = file_set_roll_back(files, n, err);
    add_failed(a, files, n, false);
    if (rc == 0)
        rc = file_set_begin(a->dir, NULL, 0, err);
    if (rc == 0)
        file_set_clean(files, n);
    a->owed = true;
    return rc;
}

/* What commands say about files from before may hold secrets which nobody knows any more. */
static void mute(const struct apply *a, struct shipper_config_list *shippers, bool on)
{
    for (size_t i = 0; i < shippers->n; i++) {
        struct shipper_config *t = &shippers->shipper[i];
        const struct owned_file *known = owned_files_find(&a->applied, t->destination);
        t->mute = on && (!known || known->secret);
    }
}

/* Every shipper as its file says: those without a file do not run. */
static int settle_muted(struct apply *a, const struct shipper_config_list *shippers,
                        struct error *err)
{
    const struct shipper_config *with[SHIPPER_CONFIG_MAX] = {NULL};
    const struct shipper_config *without[SHIPPER_CONFIG_MAX] = {NULL};
    for (size_t i = 0; i < shippers->n; i++) {
        const struct shipper_config *t = &shippers->shipper[i];
        if (access(t->destination, F_OK) == 0)
            with[i] = t;
        else
            without[i] = t;
    }
    int rc = shipper_commands_stop(without, shippers->n, err);
    if (rc == 0)
        rc = shipper_commands_reload(with, shippers->n, err);
    if (rc == 0)
        rc = file_set_commit(a->dir, err);
    a->owed = rc < 0;
    return rc;
}

static int settle(struct apply *a, struct shipper_config_list *shippers, struct error *err)
{
    mute(a, shippers, true);
    int rc = settle_muted(a, shippers, err);
    mute(a, shippers, false);
    return rc;
}

/* Roll back what this run has swapped; say what failed and, if so, that this did. */
static int undo(struct apply *a, struct shipper_config_list *shippers, struct plan *plan,
                int failure, struct error *err)
{
    struct error why = {0};
    a->n_failed = 0;
    int rc = roll_back(a, plan->swap, plan->n, &why);
    if (rc == 0)
        rc = settle(a, shippers, &why);
    if (rc == 0)
        return failure;
    if (a->n_failed == 0)
        add_failed(a, plan->swap, plan->n, true);
    return error_set(err, failure, "%.230s; rollback failed: %.230s", err->text, why.text);
}

int apply_recover(struct apply *a, struct error *err)
{
    struct file_set_entry *files = NULL;
    size_t n = 0;
    int rc = file_set_load(a->dir, &files, &n, err);
    if (rc == -ENOENT)
        return 0;
    a->recovered = rc == 0;
    if (rc == 0)
        rc = roll_back(a, files, n, err);
    free(files);
    return rc;
}

void apply_recover_shippers(struct apply *a, struct shipper_config_list *shippers,
                            struct error *err)
{
    owned_files_read(a->dir, &a->applied);
    for (size_t i = 0; i < shippers->n; i++) {
        struct file_set_entry file = {0};
        memcpy(file.path, shippers->shipper[i].destination, sizeof file.path);
        file_set_clean(&file, 1);
        if (a->owed)
            add_failed(a, &file, 1, true);
    }
    if (a->owed && settle(a, shippers, err) == 0)
        a->n_failed = 0;
}

/* ---- somebody else ------------------------------------------------------- */

static void remark(struct apply *a, const struct file_set_entry *file, const char *present)
{
    bool gone = strcmp(present, OWNED_FILES_NONE) == 0;
    size_t used = strlen(a->remark);
    (void)snprintf(a->remark + used, sizeof a->remark - used, "%s%s was %s by somebody else: %s",
                   used ? "; " : "", file->path, gone ? "removed" : "changed",
                   file->remove ? "removed"
                   : gone       ? "made again"
                                : "replaced");
}

void apply_look(struct apply *a, const struct shipper_config_list *shippers,
                const struct file_set_entry *files)
{
    size_t before = a->applied.n;
    owned_files_keep(&a->applied, files, shippers->n);
    a->news = a->applied.n < before;
    for (size_t i = 0; i < shippers->n; i++) {
        char present[DIGEST_TEXT], wanted[DIGEST_TEXT] = OWNED_FILES_NONE;
        const struct file_set_entry *file = &files[i];
        if (!file->remove)
            digest_of(file->data, file->len, wanted);
        (void)owned_files_look(file->path, present);
        if (owned_files_foreign(&a->applied, file->path, present) && strcmp(wanted, present) != 0)
            remark(a, file, present);
        bool secret = a->secret && !file->remove;
        if (owned_files_note(&a->applied, file->path, wanted, secret, present) > 0)
            a->news = true;
    }
}

/* What was going to be there is there. */
static void note_done(struct apply *a, const struct shipper_config_list *shippers,
                      const struct file_set_entry *files)
{
    struct error ignored = {0};
    bool news = false;
    for (size_t i = 0; i < shippers->n; i++) {
        struct owned_file now = *owned_files_find(&a->applied, files[i].path);
        if (owned_files_note(&a->applied, now.path, now.last, a->secret, now.last) > 0)
            news = true;
    }
    /* Otherwise they know the one before as well, until the next run. */
    if (news)
        (void)!owned_files_write(a->dir, &a->applied, false, &ignored);
    (void)!retired_shippers_note(a->dir, shippers, true, &ignored);
}

/* ---- forth --------------------------------------------------------------- */

static void make_plan(const struct apply *a, const struct shipper_config_list *shippers,
                      const struct file_set_entry *files, struct plan *plan)
{
    for (size_t i = 0; i < shippers->n; i++) {
        const struct shipper_config *t = &shippers->shipper[i];
        bool right = file_set_is_right(&files[i]);
        bool remove = files[i].remove;
        if (!right || a->owed) {
            plan->owner[plan->n] = t;
            plan->swap[plan->n++] = files[i];
        }
        if (!right || a->owed || shipper_commands_runs(t, remove) == remove)
            *(remove ? &plan->stop[i] : &plan->reload[i]) = t;
        plan->change = plan->change || !right;
    }
}

static int stage(struct plan *plan, struct error *err)
{
    char path[FILE_SET_BESIDE];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plan->n; i++)
        rc = file_set_stage(&plan->swap[i], err);
    for (size_t i = 0; rc == 0 && i < plan->n; i++) {
        if (plan->swap[i].remove)
            continue;
        rc = shipper_commands_validate(plan->owner[i], file_set_staged(&plan->swap[i], path), err);
        file_set_point();
    }
    return rc;
}

static int swap(struct apply *a, struct shipper_config_list *shippers, struct plan *plan,
                struct error *err)
{
    int rc = shipper_commands_stop(plan->stop, shippers->n, err);
    if (rc == 0)
        rc = file_set_swap(plan->swap, plan->n, err);
    if (rc == 0)
        rc = shipper_commands_reload(plan->reload, shippers->n, err);
    if (rc == 0 && plan->n > 0)
        rc = file_set_commit(a->dir, err);
    return rc;
}

int apply_set(struct apply *a, struct shipper_config_list *shippers,
              const struct file_set_entry *files, struct error *err)
{
    struct plan plan = {.n = 0};
    make_plan(a, shippers, files, &plan);
    int rc = stage(&plan, err);
    if (rc == 0 && a->news)
        rc = owned_files_write(a->dir, &a->applied, true, err);
    if (rc == 0)
        rc = retired_shippers_note(a->dir, shippers, false, err);
    if (rc == 0 && plan.n > 0)
        rc = file_set_begin(a->dir, plan.swap, plan.n, err);
    if (rc == 0) {
        rc = swap(a, shippers, &plan, err);
        if (rc < 0 && plan.n > 0)
            return undo(a, shippers, &plan, rc, err);
    }
    file_set_clean(plan.swap, plan.n);
    if (rc == 0) {
        a->changed = plan.change;
        a->owed = false;
        a->n_failed = 0;
        note_done(a, shippers, files);
    }
    return rc;
}
