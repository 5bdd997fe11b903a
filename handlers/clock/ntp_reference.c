/* SPDX-License-Identifier: MIT */
#include "clock/ntp_reference.h"

#include "base/limits.h"
#include "clock/sntp.h"
#include "settings/settings_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Half of the interval is the error, the middle the offset, rounded so that it is not less. */
static struct clock_reference found_of(const struct sntp_interval *server_minus_ours)
{
    int64_t lo_us = -server_minus_ours->hi_us;
    int64_t hi_us = -server_minus_ours->lo_us;
    int64_t middle_us = lo_us + (hi_us - lo_us) / 2;
    return (struct clock_reference){
        .known = true, .offset_us = middle_us, .err_us = hi_us - middle_us};
}

static void take_best(const struct sntp_interval *offset, struct clock_state_reference *r)
{
    char text[FIGURE_TEXT];
    r->found = found_of(offset);
    r->shown_us = figure_bound(llabs(r->found.offset_us) + r->found.err_us, r->shown_us);
    verdict_note(&r->notes, "by its NTP servers this clock is off by at most %s",
                 figure_limit(r->shown_us, text));
}

static void take_result(const struct settings *settings, const struct sntp_result *result,
                        struct clock_state_reference *r)
{
    for (size_t i = 0; i < settings->clock_references; i++) {
        if (!result->answer[i].valid)
            verdict_note(&r->notes, "%s", result->answer[i].text);
    }
    r->at = result->now;
    if (result->contradiction[0])
        verdict_note(&r->notes, "%s", result->contradiction);
    else if (result->best >= 0)
        take_best(&result->answer[result->best].offset, r);
}

/* CLOCK_REFERENCE as text, cut where it is too long: it is only compared. */
static void name_servers(const struct settings *settings, char ret[CLOCK_STATE_REFERENCES])
{
    struct buffer text = BUFFER_INIT(2 * CLOCK_STATE_REFERENCES);
    ret[0] = '\0';
    if (settings_print_value(settings, CLOCK_REFERENCE, &text) == 0)
        (void)snprintf(ret, CLOCK_STATE_REFERENCES, "%s", buffer_text(&text));
    buffer_release(&text);
}

void ntp_reference_ask(const struct settings *settings, const struct local_clock_reading *now,
                       struct clock_state_reference *r)
{
    char servers[CLOCK_STATE_REFERENCES];
    struct sntp_result result;
    struct error err = {0};
    name_servers(settings, servers);
    if (strcmp(servers, r->servers) == 0 &&
        (!servers[0] || now->raw_us - r->asked_us < limits()->reference_again_ms * 1000))
        return;
    *r = (struct clock_state_reference){.asked_us = now->raw_us, .shown_us = r->shown_us};
    memcpy(r->servers, servers, sizeof servers);
    if (!servers[0])
        return;
    if (sntp_ask(settings->clock_reference, settings->clock_references, &result, &err) < 0)
        verdict_note(&r->notes, "%s", err.text);
    else
        take_result(settings, &result, r);
}
