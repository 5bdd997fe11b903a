/* SPDX-License-Identifier: MIT */
#include "rollout/logging_metrics.h"

#include "base/boottime.h"
#include "check/metrics.h"
#include "indexer/account.h"
#include "shipper/shipper_config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* Its queue is on the file system of its account. */
static void add_room(const char *account, const char *const *labels, struct buffer *samples)
{
    struct statvfs fs;
    if (statvfs(account, &fs) == 0)
        metrics_add(samples, METRIC_QUEUE_FREE, (double)fs.f_bavail * (double)fs.f_frsize, labels);
}

static void add_account(const struct shipper_config *shipper, struct buffer *samples)
{
    char name[FILE_SET_PATH];
    const char *const labels[] = {"shipper", shipper_config_name(shipper, name), NULL};
    struct account a;
    if (!shipper->account[0])
        return;
    account_read(shipper->account, &a);
    const bool waits = a.waiting > 0 && a.why[0] && a.since_ms > 0;
    const double age_s = waits ? (double)(boottime_ms() - a.since_ms) / 1000 : 0;
    metrics_add(samples, METRIC_RECORDS_ARRIVED, (double)a.arrived, labels);
    metrics_add(samples, METRIC_RECORDS_LOST, (double)(a.lost + a.cut), labels);
    metrics_add(samples, METRIC_RECORDS_WAITING, (double)a.waiting, labels);
    metrics_add(samples, METRIC_RECORDS_WAITING_AGE, age_s, labels);
    metrics_add(samples, METRIC_LOGS_UNREAD, (double)a.unread_bytes, labels);
    add_room(shipper->account, labels, samples);
}

void logging_metrics_add(const struct snapshot *s, struct buffer *samples)
{
    const char *const labels[] = {"revision", s->local.in_force, NULL};
    struct shipper_config_list *list = calloc(1, sizeof *list);
    if (s->local.in_force[0])
        metrics_add(samples, METRIC_REVISION, 1, labels);
    if (list && shipper_config_read(s->place->config_dir, list, NULL) == 0) {
        for (size_t i = 0; i < list->n; i++)
            add_account(&list->shipper[i], samples);
        shipper_config_release(list);
    }
    free(list);
}
