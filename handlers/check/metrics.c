/* SPDX-License-Identifier: MIT */
#include "check/metrics.h"

#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE 600 /* bytes of a sample */

static const struct {
    const char *name, *type, *help;
} metrics[METRICS] = {
    [METRIC_CHECK_STATUS] = {"lictor_check_status", "gauge",
                             "Verdict of a check here: 0 passing, 1 warning, 2 critical."},
    [METRIC_SERVERS_SPARE] =
        {"lictor_servers_spare", "gauge",
         "How many more Consul servers may fail; below 0 the majority is lost."},
    [METRIC_CLOCK_OFFSET_BOUND] = {"lictor_clock_offset_bound_seconds", "gauge",
                                   "The clocks of two servers differ at most by this, proven."},
    [METRIC_RECORDS_WAITING] = {"lictor_records_waiting", "gauge",
                                "Log records that wait in the queue of this server's shipper."},
    [METRIC_RECORDS_WAITING_AGE] = {"lictor_records_waiting_age_seconds", "gauge",
                                    "Since when records wait for a reason, 0 they do not."},
    [METRIC_RECORDS_ARRIVED] = {"lictor_records_arrived_total", "counter",
                                "Log lines of this server that Elasticsearch has taken."},
    [METRIC_RECORDS_LOST] = {"lictor_records_lost_total", "counter",
                             "Log lines of this server that are lost, or the end of them."},
    [METRIC_LOGS_UNREAD] = {"lictor_logs_unread_bytes", "gauge",
                            "Bytes of the logs that the shipper has not read yet."},
    [METRIC_QUEUE_FREE] = {"lictor_queue_free_bytes", "gauge",
                           "Free space on the file system of the shipper's queue."},
    [METRIC_REVISION] = {"lictor_revision_info", "gauge",
                         "Revision of the LOG_ settings that is in force here."},
    [METRIC_HEARTBEAT_DURATION] = {"lictor_heartbeat_duration_seconds", "gauge",
                                   "How long the latest heartbeat took."},
    [METRIC_HEARTBEAT_CPU] = {"lictor_heartbeat_cpu_seconds", "gauge",
                              "CPU time of the latest heartbeat and its verifications."},
};

/* Append at the end of a line; false: it does not fit. Quotes are escaped, what is not printable is a '?'. */
static bool put_value(char *line, const char *value)
{
    size_t len = strlen(line);
    for (; *value; value++) {
        if (len + 3 >= LINE)
            return false;
        if (*value == '"' || *value == '\\')
            line[len++] = '\\';
        line[len++] = text_printable(*value);
    }
    line[len] = '\0';
    return true;
}

/* The same, of our own text: as it is. */
static bool put_text(char *line, const char *text)
{
    const size_t len = strlen(line);
    return (size_t)snprintf(line + len, LINE - len, "%s", text) < LINE - len;
}

static bool put_labels(char *line, const char *const *labels)
{
    bool ok = true;
    for (size_t i = 0; ok && labels[i]; i += 2)
        ok = put_text(line, i == 0 ? "{" : ",") && put_text(line, labels[i]) &&
             put_text(line, "=\"") && put_value(line, labels[i + 1]) && put_text(line, "\"");
    return ok && put_text(line, "}");
}

void metrics_add(struct buffer *samples, enum metric metric, double value,
                 const char *const *labels)
{
    char line[LINE] = "";
    if (put_text(line, metrics[metric].name) && (!labels || put_labels(line, labels)))
        (void)!buffer_printf(samples, "%s %.15g\n", line, value);
}

static bool is_sample(const char *line, size_t len, enum metric metric)
{
    const size_t name = strlen(metrics[metric].name);
    if (len <= name || strncmp(line, metrics[metric].name, name) != 0 ||
        (line[name] != '{' && line[name] != ' '))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text_printable(line[i]) != line[i])
            return false;
    }
    return true;
}

static int put_family(const char *samples, enum metric metric, struct buffer *out)
{
    bool first = true;
    int rc = 0;
    for (const char *line = samples; rc == 0 && *line;) {
        const size_t len = strcspn(line, "\n");
        if (is_sample(line, len, metric)) {
            if (first)
                rc = buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[metric].name,
                                   metrics[metric].help, metrics[metric].name,
                                   metrics[metric].type);
            if (rc == 0)
                rc = buffer_printf(out, "%.*s\n", (int)len, line);
            first = false;
        }
        line += len + (line[len] == '\n');
    }
    return rc;
}

int metrics_render(const char *samples, struct buffer *out)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < METRICS; i++)
        rc = put_family(samples, (enum metric)i, out);
    return rc;
}
