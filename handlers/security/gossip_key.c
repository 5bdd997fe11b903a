/* SPDX-License-Identifier: MIT */
#include "security/gossip_key.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEYRING_LIMIT 65536

/* SHA-256 of the key's text, and who publishes it. */
static const struct {
    const char *digest, *where;
} published[] = {
    {"78a84cdb27f2dad101f3f54192cb2efdbd47d38d31834e3f029328ef2e929aa5",
     "SEAL publishes as the default of PLOSSYS"},
    {"8f5e90698d144db9d16e2f7e758a780142e900116e08172047d794aa3a4c554f",
     "HashiCorp publishes as an example"},
    {"1a529216c579fbbc898d423c411b803786cf276726a314730e12c6c4af9baf10",
     "HashiCorp publishes as an example"},
    {"4ebb0d7ddbc4e64505b2fcf0402aeed4dc4be0873dff3a177ce724868118c938",
     "HashiCorp publishes as an example"},
};

/* Who publishes it; NULL: nobody we know of. */
static const char *publisher(const char *key)
{
    char digest[DIGEST_TEXT];
    digest_of(key, strlen(key), digest);
    for (size_t i = 0; i < COUNT(published); i++) {
        if (strcmp(digest, published[i].digest) == 0)
            return published[i].where;
    }
    return NULL;
}

/* One key, or those of one pool. Returns how many. */
static int look_at(const cJSON *item, const char **ret_where)
{
    const cJSON *key = cJSON_IsString(item) ? item : cJSON_GetObjectItemCaseSensitive(item, "Keys");
    const char *where = NULL;
    int n = 0;
    if (cJSON_IsString(item)) {
        where = publisher(key->valuestring);
        n = 1;
    }
    for (key = cJSON_IsObject(key) ? key->child : NULL; key; key = key->next, n++) {
        const char *of = publisher(key->string);
        where = of ? of : where;
    }
    if (where)
        *ret_where = where;
    return n;
}

int gossip_key_judge(const cJSON *keys, struct findings *findings, struct error *err)
{
    const cJSON *item = NULL;
    const char *where = NULL;
    int n = 0;
    if (cJSON_IsArray(keys)) {
        cJSON_ArrayForEach(item, keys) n += look_at(item, &where);
    }
    if (n == 0)
        return error_set(err, -EBADMSG, "there is no key in it");
    if (!where)
        return 0;
    finding_add(findings, FINDING_GOSSIP_KNOWN_KEY, "gossip takes a key that %s", where);
    finding_repair(findings,
                   "on one server consul keygen makes NEW; consul keyring -install=NEW, "
                   "-use=NEW, -remove=OLD; on every server encrypt = \"NEW\" in its configuration, "
                   "so that the next one that is set up has it");
    return 0;
}

/* What the agent's user reads without any right in Consul. */
static int read_file(const char *data_dir, cJSON **ret, struct error *err)
{
    char path[FILE_PATH];
    struct buffer text = BUFFER_INIT(KEYRING_LIMIT);
    int rc = data_dir[0] ? file_path(path, sizeof path, data_dir, "serf/local.keyring", err)
                         : error_set(err, -ENOENT, "the agent does not show its data_dir");
    if (rc == 0)
        rc = file_read(path, &text, err);
    if (rc == 0)
        rc = json_parse(buffer_text(&text), text.len, path, ret, err);
    buffer_wipe(&text);
    return rc;
}

void gossip_key_look(struct consul *consul, const char *data_dir, struct findings *findings)
{
    cJSON *keys = NULL;
    struct error file = {0}, err = {0};
    int rc = read_file(data_dir, &keys, &file);
    if (rc < 0)
        rc = consul_get(consul, "operator/keyring?local-only", "keyring = \"read\"", &keys, &err);
    if (rc == 0)
        rc = gossip_key_judge(keys, findings, &err);
    if (rc < 0) {
        bool right = strstr(err.text, "denied by ACLs") != NULL;
        finding_add(findings, FINDING_GOSSIP_KEY_UNKNOWN, "the keyring cannot be read: %s; %s",
                    file.text[0] ? file.text : "its file is damaged",
                    right ? "the token lacks keyring = \"read\"" : err.text);
        finding_repair(findings, "run it as the user of the agent, who reads the first, or with a "
                                 "token that has keyring = \"read\"");
    }
    cJSON_Delete(keys);
}
