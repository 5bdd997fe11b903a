/* SPDX-License-Identifier: MIT */
#include "base/duration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define DAY    (86400 * SECOND)

struct unit {
    const char *name;
    int64_t size;
};

static const struct unit times[] = {
    {"us", 1},          {"ms", 1000},         {"s", SECOND},        {"sec", SECOND},
    {"m", 60 * SECOND}, {"min", 60 * SECOND}, {"h", 3600 * SECOND}, {"hr", 3600 * SECOND},
    {"d", DAY},         {"w", 7 * DAY},       {"wk", 7 * DAY},      {"months", 30 * DAY},
    {"y", 365 * DAY},   {"yr", 365 * DAY},
};

static const struct unit *find_unit(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(times); i++) {
        if (strlen(times[i].name) == len && strncmp(times[i].name, name, len) == 0)
            return &times[i];
    }
    return NULL;
}

static int parse_number(const char **text, int64_t *ret)
{
    const char *p = *text;
    int64_t value = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *p - '0', &value))
            return -ERANGE;
    }
    if (p == *text)
        return -EINVAL;
    *text = p;
    *ret = value;
    return 0;
}

int duration_parse(const char *text, int64_t *ret_us)
{
    int64_t sum = 0;
    if (strcmp(text, "0") == 0) {
        *ret_us = 0;
        return 0;
    }
    if (!*text)
        return -EINVAL;
    while (*text) {
        int64_t value = 0;
        int rc = parse_number(&text, &value);
        size_t len = strcspn(text, "0123456789");
        const struct unit *unit = find_unit(text, len);
        if (rc == 0 && !unit)
            rc = -EINVAL;
        if (rc == 0 && (__builtin_mul_overflow(value, unit->size, &value) ||
                        __builtin_add_overflow(sum, value, &sum)))
            rc = -ERANGE;
        if (rc < 0)
            return rc;
        text += len;
    }
    *ret_us = sum;
    return 0;
}

const char *duration_format(int64_t us, char text[DURATION_TEXT])
{
    static const struct unit shown[] = {{"d", DAY},    {"h", 3600 * SECOND}, {"m", 60 * SECOND},
                                        {"s", SECOND}, {"ms", 1000},         {"us", 1}};
    size_t used = 0;
    (void)snprintf(text, DURATION_TEXT, "0s");
    for (size_t i = 0; i < COUNT(shown); i++) {
        int64_t count = us / shown[i].size;
        us -= count * shown[i].size;
        /* 1500 us reads better than 1ms500us */
        if (shown[i].size == 1000 && us != 0) {
            us += count * 1000;
            continue;
        }
        if (count > 0 && used < DURATION_TEXT)
            used += (size_t)snprintf(text + used, DURATION_TEXT - used, "%lld%s", (long long)count,
                                     shown[i].name);
    }
    return text;
}
