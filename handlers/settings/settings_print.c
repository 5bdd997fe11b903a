/* SPDX-License-Identifier: MIT */
#include "settings/settings_print.h"

#include "base/duration.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static int join(const char *items, size_t size, size_t n, struct buffer *out)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = buffer_printf(out, "%s%s", i ? "," : "", items + i * size);
    return rc;
}

static int servers_text(const struct settings *s, struct buffer *out)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s->servers; i++)
        rc = buffer_printf(out, "%sserver_%zu=%s", i ? "," : "", i + 1, s->server[i]);
    return rc;
}

static int maintenance_text(const struct settings *s, struct buffer *out)
{
    time_t end = (time_t)s->maintenance_until_s;
    struct tm tm = {0};
    char text[32];
    if (s->maintenance_node[0] == '\0' || !gmtime_r(&end, &tm))
        return 0;
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%MZ", &tm);
    return buffer_printf(out, "%s until %s", s->maintenance_node, text);
}

static int hosts_text(const struct host_port *servers, size_t n, struct buffer *out)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct host_port *server = &servers[i];
        bool ipv6 = strchr(server->host, ':') != NULL;
        rc = buffer_printf(out, "%s%s%s%s:%d", i ? "," : "", ipv6 ? "[" : "", server->host,
                           ipv6 ? "]" : "", server->port);
    }
    return rc;
}

int settings_print_value(const struct settings *s, enum setting setting, struct buffer *out)
{
    char text[DURATION_TEXT];
    switch (setting) {
    case LOG_ENABLED:
        return buffer_printf(out, "%s", s->log_enabled ? "Y" : "N");
    case LOG_ELASTICSEARCH_URL:
        if (s->log_service[0])
            return buffer_printf(out, "consul:%s", s->log_service);
        return join(*s->log_url, sizeof *s->log_url, s->log_urls, out);
    case LOG_ELASTICSEARCH_CREDENTIAL:
        return buffer_printf(out, "%s", s->log_credential);
    case LOG_INDEX:
        return buffer_printf(out, "%s", s->log_index);
    case LOG_LEVEL:
        return buffer_printf(out, "%s", settings_level_name(s->log_level));
    case LOG_SOURCES:
        return join(*s->log_source, sizeof *s->log_source, s->log_sources, out);
    case LOG_ROLLOUT:
        return buffer_printf(out, "%s", s->log_parallel ? "parallel" : "rolling");
    case LOG_SETTLE:
        return buffer_printf(out, "%s", duration_format(s->log_settle_us, text));
    case LOG_DELAY:
        return buffer_printf(out, "%s", duration_format(s->log_delay_us, text));
    case CLUSTER_SERVERS:
        return servers_text(s, out);
    case CLUSTER_MANAGEMENT_SERVER:
        return buffer_printf(out, "%s", s->management_server);
    case CLUSTER_GRACE:
        return buffer_printf(out, "%s", duration_format(s->grace_us, text));
    case CLUSTER_MAINTENANCE:
        return maintenance_text(s, out);
    case CLOCK_SKEW_WARNING:
        return buffer_printf(out, "%s", duration_format(s->clock_warning_us, text));
    case CLOCK_SKEW_CRITICAL:
        return buffer_printf(out, "%s", duration_format(s->clock_critical_us, text));
    case CLOCK_REFERENCE:
        return hosts_text(s->clock_reference, s->clock_references, out);
    case SECURITY_ACCEPTED:
        return join(*s->security_accepted, sizeof *s->security_accepted, s->security_accepts, out);
    case MONGODB_URL:
        if (s->mongodbs > 0 && buffer_printf(out, "mongodb://") < 0)
            return -EMSGSIZE;
        return hosts_text(s->mongodb, s->mongodbs, out);
    case MONGODB_CREDENTIAL:
        return buffer_printf(out, "%s", s->mongodb_credential);
    case SETTING_COUNT:
        break;
    }
    return 0;
}

int settings_print_table(struct buffer *out)
{
    int rc = buffer_printf(out, "| key | value | default | meaning |\n"
                                "|---|---|---|---|\n");
    for (size_t i = 0; rc == 0 && i < SETTING_COUNT; i++) {
        const struct setting_row *row = settings_row((enum setting)i);
        const char *tick = row->otherwise ? "`" : "";
        rc = buffer_printf(out, "| `%s` | %s | %s%s%s | %s |\n", row->key, row->type, tick,
                           row->otherwise ? row->otherwise : "none", tick, row->meaning);
    }
    return rc;
}
