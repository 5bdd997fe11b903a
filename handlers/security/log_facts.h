/* SPDX-License-Identifier: MIT */
/* log_facts.h: is Elasticsearch reached with TLS, and as a user? */
#ifndef LOG_FACTS_H
#define LOG_FACTS_H

#include "security/finding.h"
#include "settings/settings.h"

#define LOG_FACTS_URLS SETTINGS_URLS

/* Where logs are sent to: none when they are not. */
struct log_facts {
    char url[LOG_FACTS_URLS][URL_TEXT];
    size_t n;
};

/* Of the settings; of LOG_ELASTICSEARCH_URL=consul:SERVICE what was found of it (service_urls.h). */
void log_facts_read(const struct settings *settings, const char *state_dir, struct log_facts *ret);

/* Pure. */
void log_facts_judge(const struct log_facts *facts, const struct settings *settings,
                     struct findings *findings);

#endif
