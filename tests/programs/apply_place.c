#include "apply_place.h"

#include "base/buffer.h"
#include "base/file.h"

static char place[128];

const char *place_dir(void)
{
    return place;
}

const char *in_place(const char *fmt, ...)
{
    static char path[4][512];
    static int next;
    char *ret = path[next++ % 4];
    int n = snprintf(ret, sizeof path[0], "%s/", place);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(ret + n, sizeof path[0] - (size_t)n, fmt, ap);
    va_end(ap);
    return ret;
}

void place_put(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

char *place_get(const char *path)
{
    struct buffer text = BUFFER_INIT(1U << 20);
    (void)!file_read(path, &text, NULL);
    char *ret = buffer_detach(&text);
    return ret ? ret : strdup("");
}

void place_assert_file(const char *path, const char *expected)
{
    char *text = place_get(path);
    assert_string_equal(text, expected);
    free(text);
}

void place_shell(const char *command)
{
    char text[4096];
    size_t n = 0;
    for (; *command && n + sizeof place < sizeof text; command++) {
        if (*command == '@')
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", place);
        else
            text[n++] = *command;
    }
    text[n] = '\0';
    const char *argv[] = {"/bin/sh", "-c", text, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        fail_msg("%s: %s", text, o.err);
    outcome_release(&o);
}

int place_set_up(void **state)
{
    (void)state;
    static const char *const dirs[] = {"etc", "etc/logging.d", "etc/credentials"};
    const char *base = getenv("TMPDIR");
    (void)snprintf(place, sizeof place, "%s/lictor-place-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(place) || chmod(place, 0755) < 0)
        return -1;
    for (size_t i = 0; i < COUNT(dirs); i++) {
        if (mkdir(in_place("%s", dirs[i]), 0755) < 0)
            return -1;
    }
    if (mkdir(in_place("apply"), 0700) < 0)
        return -1;
    char *script = place_get(SOURCE_DIR "/tests/cluster/shipper");
    place_put(in_place("etc/shipper"), script, 0755);
    free(script);
    place_put(in_place("etc/policy.json"), "{\"elasticsearch\":{\"hosts\":[\"127.0.0.0/8\"]}}",
              0644);
    return 0;
}

int place_tear_down(void **state)
{
    (void)state;
    place_shell("rm -rf '@'");
    return 0;
}

void place_target(const char *name, const char *escape, const char *template, const char *more)
{
    char text[4096];
    char shipper[600];
    if (mkdir(in_place("%s", name), 0755) < 0)
        assert_int_equal(access(in_place("%s", name), W_OK), 0);
    (void)snprintf(shipper, sizeof shipper, "\"%s/etc/shipper\",\"stand-in\",\"%s/%s\"", place,
                   place, name);
    (void)snprintf(text, sizeof text,
                   "{\"template\":\"%s.mustache\",\"destination\":\"%s/%s/shipper.conf\","
                   "\"escape\":\"%s\",\"timeout\":\"2s\","
                   "\"validate\":[%s,\"validate\",\"{file}\"],"
                   "\"reload\":[%s,\"restart\"],\"confirm\":[%s,\"alive\",\"{digest}\"],"
                   "\"stop\":[%s,\"stop\"]%s}",
                   name, place, name, escape, shipper, shipper, shipper, shipper, more);
    place_put(in_place("etc/logging.d/%s.json", name), text, 0644);
    place_put(in_place("etc/logging.d/%s.mustache", name), template, 0644);
}

void place_credential(const char *name, const char *members)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "{%s,\"hosts\":[\"127.0.0.0/8\"]}", members);
    place_put(in_place("etc/credentials/%s.json", name), text, 0640);
}

struct outcome place_apply_env(const char *settings, const char *variable)
{
    char request[4096];
    const char *argv[] = {TEST_BIN "/apply-logging", "--config-dir",
                          in_place("etc"),           "--apply-dir",
                          in_place("apply"),         NULL};
    const char *env[] = {"LICTOR_LIMITS=confirm=20ms,lock=300ms", variable, NULL};
    (void)snprintf(request, sizeof request, "{\"v\":1,\"settings\":{%s}}", settings);
    return run_tool(request, argv, env);
}

struct outcome place_apply(const char *settings)
{
    return place_apply_env(settings, NULL);
}

char *place_expect(const char *settings, int code, const char *text)
{
    struct outcome o = place_apply(settings);
    char *said = malloc(strlen(o.out) + strlen(o.err) + 1);
    assert_non_null(said);
    (void)stpcpy(stpcpy(said, o.out), o.err);
    if (o.code != code || !strstr(o.out, text))
        fail_msg("%d, not %d with %s: %s", o.code, code, text, said);
    outcome_release(&o);
    return said;
}

size_t place_calls(const char *name, const char *action)
{
    char *log = place_get(in_place("%s/actions.log", name));
    size_t n = 0;
    for (const char *at = strstr(log, action); at; at = strstr(at + 1, action))
        n++;
    free(log);
    return n;
}
