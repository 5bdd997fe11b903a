/* SPDX-License-Identifier: MIT */
#include "apply_place.h"

#include "base/file.h"

void place_shell(const char *command)
{
    char text[4096];
    size_t n = 0;
    for (; *command && n + sizeof scratch_dir < sizeof text; command++) {
        if (*command == '@')
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", scratch_dir);
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
    static const char *const dirs[] = {"etc", "etc/logging.d", "etc/credentials"};
    if (scratch_set_up(state) < 0 || chmod(scratch_dir, 0755) < 0)
        return -1;
    for (size_t i = 0; i < COUNT(dirs); i++) {
        if (mkdir(scratch_at("%s", dirs[i]), 0755) < 0)
            return -1;
    }
    if (mkdir(scratch_at("apply"), 0700) < 0)
        return -1;
    char *script = scratch_get(SOURCE_DIR "/tests/cluster/shipper");
    scratch_put("etc/shipper", script, 0755);
    free(script);
    scratch_put("etc/policy.json", "{\"elasticsearch\":{\"hosts\":[\"127.0.0.0/8\"]}}", 0644);
    return 0;
}

void place_target(const char *name, const char *escape, const char *template, const char *more)
{
    char text[4096];
    char shipper[600];
    if (mkdir(scratch_at("%s", name), 0755) < 0)
        assert_int_equal(access(scratch_at("%s", name), W_OK), 0);
    (void)snprintf(shipper, sizeof shipper, "\"%s/etc/shipper\",\"stand-in\",\"%s/%s\"",
                   scratch_dir, scratch_dir, name);
    (void)snprintf(text, sizeof text,
                   "{\"template\":\"%s.mustache\",\"destination\":\"%s/%s/shipper.conf\","
                   "\"escape\":\"%s\",\"timeout\":\"2s\","
                   "\"validate\":[%s,\"validate\",\"{file}\"],"
                   "\"reload\":[%s,\"restart\"],\"confirm\":[%s,\"alive\",\"{digest}\"],"
                   "\"stop\":[%s,\"stop\"]%s}",
                   name, scratch_dir, name, escape, shipper, shipper, shipper, shipper, more);
    scratch_put(scratch_at("etc/logging.d/%s.json", name), text, 0644);
    scratch_put(scratch_at("etc/logging.d/%s.mustache", name), template, 0644);
}

void place_credential(const char *name, const char *members)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "{%s,\"hosts\":[\"127.0.0.0/8\"]}", members);
    scratch_put(scratch_at("etc/credentials/%s.json", name), text, 0640);
}

struct outcome place_apply_env(const char *settings, const char *variable)
{
    char request[4096];
    const char *argv[] = {TEST_BIN "/apply-logging", "--config-dir",
                          scratch_at("etc"),         "--apply-dir",
                          scratch_at("apply"),       NULL};
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
    char *log = scratch_get(scratch_at("%s/actions.log", name));
    size_t n = 0;
    for (const char *at = strstr(log, action); at; at = strstr(at + 1, action))
        n++;
    free(log);
    return n;
}
