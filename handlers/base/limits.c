/* SPDX-License-Identifier: MIT */
#include "base/limits.h"

#ifdef TEST_LIMITS
#include "base/duration.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} members[] = {
#define LIMIT(name, value) {#name, offsetof(struct limits, name)},
    LIMITS(LIMIT)
#undef LIMIT
};

static void set_member(struct limits *t, const char *name, size_t len, const char *value)
{
    for (size_t i = 0; i < COUNT(members); i++) {
        int64_t us = 0;
        if (strncmp(members[i].name, name, len) != 0 || strcmp(members[i].name + len, "_ms") != 0)
            continue;
        if (duration_parse(value, &us) < 0)
            abort(); /* a test with a wrong value must not pass by accident */
        int64_t ms = us / 1000;
        memcpy((char *)t + members[i].offset, &ms, sizeof ms);
        return;
    }
    abort();
}

static void override(struct limits *t)
{
    const char *text = getenv("LICTOR_LIMITS");
    while (text && *text) {
        char value[32] = "";
        const char *equals = strchr(text, '=');
        size_t len = equals ? strcspn(equals + 1, ",") : 0;
        if (!equals || len >= sizeof value)
            abort();
        memcpy(value, equals + 1, len);
        set_member(t, text, (size_t)(equals - text), value);
        text = equals + 1 + len;
        text += *text == ',';
    }
}
#endif

const struct limits *limits(void)
{
    static struct limits t = {
#define LIMIT(name, value) .name = (value),
        LIMITS(LIMIT)
#undef LIMIT
    };
#ifdef TEST_LIMITS
    static int read_once;
    if (!read_once++)
        override(&t);
#endif
    return &t;
}
