/* SPDX-License-Identifier: MIT */
#include "mongodb/mongodb_check.h"

#include "base/file.h"
#include "base/limits.h"
#include "check/rest.h"
#include "mongodb/mongodb_target.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <unistd.h>

static const char rule[] = "service \"cluster\" write";
static const char definition[] =
    "{\"ID\":\"" MONGODB_CHECK_ID "\",\"Name\":\"MongoDB\",\"Notes\":\"How many more members of "
    "MongoDB's replica set may fail, and is it secured? By hand: " MONGODB_CHECK_PROGRAM "\","
    "\"ServiceID\":\"cluster\",\"TTL\":\"300s\",\"Status\":\"warning\"}";

static int look_registered(struct consul *consul, bool *ret, struct error *err)
{
    cJSON *checks = NULL;
    int rc = consul_get(consul, "agent/checks", rule, &checks, err);
    *ret = rc == 0 && cJSON_GetObjectItemCaseSensitive(checks, MONGODB_CHECK_ID);
    cJSON_Delete(checks);
    return rc;
}

static int put(struct consul *consul, const char *path, const char *body, struct error *err)
{
    struct buffer answer = BUFFER_INIT(4096);
    int rc = consul_request(consul, body, path, &answer, err);
    buffer_release(&answer);
    return rc;
}

static bool has_program(void)
{
    char path[FILE_PATH];
    return program_sibling(MONGODB_CHECK_PROGRAM, path, sizeof path, NULL) == 0 &&
           access(path, X_OK) == 0;
}

int mongodb_check_sync(struct consul *consul, const struct place *place, bool led, bool *ret_run,
                       struct error *err)
{
    bool wanted = false;
    int rc = look_registered(consul, ret_run, err);
    if (rc < 0 || !led)
        return rc;
    rc = mongodb_target_wanted(consul, place, &wanted, err);
    if (rc < 0)
        return rc;
    if (wanted && !has_program()) {
        *ret_run = false;
        return error_set(err, -ENOENT,
                         "there is a MongoDB, but " MONGODB_CHECK_PROGRAM
                         " was left out of the build: scripts/setup build, make install");
    }
    if (wanted == *ret_run || rest_look(consul, place->state_dir) < limits()->rest_ms)
        return 0;
    if (wanted)
        rc = put(consul, "agent/check/register", definition, err);
    else
        rc = put(consul, "agent/check/deregister/" MONGODB_CHECK_ID, "", err);
    if (rc == 0)
        *ret_run = wanted;
    return rc;
}
