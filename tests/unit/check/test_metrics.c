/* SPDX-License-Identifier: MIT */
#include "check/metrics.h"
#include "test.h"

#include <ctype.h>
#include <stdlib.h>

static struct buffer samples;

static int begin(void **state)
{
    (void)state;
    samples = BUFFER_INIT(1U << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buffer_release(&samples);
    return 0;
}

static void samples_are_grouped(void **state)
{
    (void)state;
    struct buffer out = BUFFER_INIT(1U << 20);
    const char *const quorum[] = {"check", "cluster:quorum", NULL};
    const char *const pair[] = {"node", "a", "other", "b", NULL};
    metrics_add(&samples, METRIC_CHECK_STATUS, 1, quorum);
    metrics_add(&samples, METRIC_CLOCK_OFFSET_BOUND, 0.0025, pair);
    metrics_add(&samples, METRIC_SERVERS_SPARE, -1, NULL);
    metrics_add(&samples, METRIC_CHECK_STATUS, 0, (const char *const[]){"check", "x", NULL});
    assert_int_equal(metrics_render(buffer_text(&samples), &out), 0);
    assert_string_equal(
        buffer_text(&out),
        "# HELP lictor_check_status Verdict of a check here: 0 passing, 1 warning, 2 critical.\n"
        "# TYPE lictor_check_status gauge\n"
        "lictor_check_status{check=\"cluster:quorum\"} 1\n"
        "lictor_check_status{check=\"x\"} 0\n"
        "# HELP lictor_servers_spare How many more Consul servers may fail; below 0 the majority "
        "is lost.\n"
        "# TYPE lictor_servers_spare gauge\n"
        "lictor_servers_spare -1\n"
        "# HELP lictor_clock_offset_bound_seconds The clocks of two servers differ at most by "
        "this, proven.\n"
        "# TYPE lictor_clock_offset_bound_seconds gauge\n"
        "lictor_clock_offset_bound_seconds{node=\"a\",other=\"b\"} 0.0025\n");
    buffer_release(&out);
}

static void values_are_kept_inside_their_quotes(void **state)
{
    (void)state;
    const char *const labels[] = {"check", "a\"} 1\nlictor_servers_spare 9\\", NULL};
    metrics_add(&samples, METRIC_CHECK_STATUS, 0, labels);
    assert_string_equal(buffer_text(&samples), "lictor_check_status{check=\"a\\\"} "
                                               "1?lictor_servers_spare 9\\\\\"} 0\n");
}

static void too_long_a_value_is_left_out(void **state)
{
    (void)state;
    char value[700];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (size_t len = sizeof value - 1; len > 500; len--) {
        const char *const labels[] = {"check", value, NULL};
        value[len] = '\0';
        metrics_add(&samples, METRIC_CHECK_STATUS, 0, labels);
    }
    for (const char *line = buffer_text(&samples); *line; line += strcspn(line, "\n") + 1)
        assert_memory_equal(line + strcspn(line, "\n") - 5, "x\"} 0", 5);
}

static void other_lines_are_dropped(void **state)
{
    (void)state;
    struct buffer out = BUFFER_INIT(1U << 20);
    assert_int_equal(
        metrics_render("lictor_servers_spares 1\nnode_load1 1\n\nlictor_servers_spare\n"
                       "lictor_servers_spare \x1b\nwarning: lictor_servers_spare 1\n",
                       &out),
        0);
    assert_string_equal(buffer_text(&out), "");
    buffer_release(&out);
}

/* The conventions that promtool looks at: a prefix, base units, _total for counters and for them alone, a
 * help text. */
static void names_are_as_usual(void **state)
{
    (void)state;
    struct buffer out = BUFFER_INIT(1U << 20);
    for (int i = 0; i < METRICS; i++)
        metrics_add(&samples, (enum metric)i, 1, NULL);
    assert_int_equal(metrics_render(buffer_text(&samples), &out), 0);
    char *rest = NULL;
    int families = 0;
    for (char *line = strtok_r(out.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char name[100], type[20];
        if (sscanf(line, "# TYPE %99s %19s", name, type) != 2)
            continue;
        const char *tail = strrchr(name, '_');
        families++;
        print_message("  %s\n", name);
        assert_memory_equal(name, "lictor_", 7);
        for (const char *p = name; *p; p++)
            assert_true(islower((unsigned char)*p) || *p == '_');
        assert_int_equal(strcmp(tail, "_total") == 0, strcmp(type, "counter") == 0);
        assert_null(strstr(name, "milliseconds"));
        assert_null(strstr(name, "_ms"));
        assert_null(strstr(name, "gauge"));
        assert_null(strstr(name, "counter"));
    }
    assert_int_equal(families, METRICS);
    buffer_release(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(samples_are_grouped),          TEST(values_are_kept_inside_their_quotes),
        TEST(too_long_a_value_is_left_out), TEST(other_lines_are_dropped),
        TEST(names_are_as_usual),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
