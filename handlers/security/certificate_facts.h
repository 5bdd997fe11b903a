/* SPDX-License-Identifier: MIT */
/* certificate_facts.h: the certificates on which this server depends: those of its agent, those with
 * which our programs reach it and Elasticsearch, and those that Elasticsearch shows. */
#ifndef CERTIFICATE_FACTS_H
#define CERTIFICATE_FACTS_H

#include "base/program.h"
#include "consul/consul.h"
#include "security/agent_facts.h"
#include "security/finding.h"
#include "settings/settings.h"

/* Look at all of them. What cannot be read is a finding as well; not that an Elasticsearch does not
 * answer, which cluster:logging says. */
void certificate_facts_look(const struct consul *consul, const struct place *place,
                            const struct agent_facts *agent, const struct settings *settings,
                            struct findings *findings);

#endif
