/* SPDX-License-Identifier: MIT */
/* metrics.h: figures for alerting, in the text format that Prometheus' node_exporter reads from a directory
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). A verification prints samples, the heartbeat
 * collects them into one file. */
#ifndef METRICS_H
#define METRICS_H

#include "base/buffer.h"

#define METRICS_DIR  "/var/lib/prometheus/node-exporter" /* Debian's */
#define METRICS_FILE "lictor.prom"

enum metric {
    METRIC_CHECK_STATUS,
    METRIC_SERVERS_SPARE,
    METRIC_CLOCK_OFFSET_BOUND,
    METRIC_RECORDS_WAITING,
    METRIC_RECORDS_WAITING_AGE,
    METRIC_RECORDS_ARRIVED,
    METRIC_RECORDS_LOST,
    METRIC_LOGS_UNREAD,
    METRIC_QUEUE_FREE,
    METRIC_REVISION,
    METRIC_HEARTBEAT_DURATION,
    METRIC_HEARTBEAT_CPU,
    METRICS
};

/* Append a sample, "lictor_servers_spare 1". labels: name and value by turns, NULL at the end, or NULL for none;
 * values may come from anybody. What does not fit is left out. */
void metrics_add(struct buffer *samples, enum metric metric, double value,
                 const char *const *labels);

/* Append the samples, each line of which is looked at, grouped, with their help and type. Returns 0, -EMSGSIZE or
 * -ENOMEM. */
MUST_CHECK int metrics_render(const char *samples, struct buffer *out);

#endif
