/* SPDX-License-Identifier: MIT */
#include "settings/credential.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/trust.h"
#include "net/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX     16384 /* bytes of a file */
#define PEM_MAX      (1 << 20)
#define PASSWORD_MIN 6

static const char key_set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
static const char path_set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";

static int reject_member(const struct credential *c, struct error *err, const char *member,
                         const char *why)
{
    return error_set(err, -EBADMSG, "%s%s\"%s\" %s", c->path, c->path[0] ? ": " : "", member, why);
}

/* ---- one member each ----------------------------------------------------- */

/* Of a name only the beginning is shown: it may be a secret in the wrong place. */
static int check_credential_members(const struct credential *c, const cJSON *root,
                                    struct error *err)
{
    static const char *const known[] = {"user", "password", "api_key", "keystore",     "ca",
                                        "cert", "key",      "hosts",   "insecure_http"};
    const char *name = NULL;
    char echo[SETTING_VALUE_ECHO];
    int rc = json_members(root, known, COUNT(known), &name);
    if (rc == 0)
        return 0;
    (void)setting_value_echo(name, strnlen(name, 20), echo);
    return reject_member(c, err, echo, rc == -ENOENT ? "is not a known member" : "is given twice");
}

/* The members that are texts. */
static const struct member {
    const char *name;
    size_t at; /* in struct credential */
    size_t size, min;
    bool path;
} texts[] = {
#define TEXT(name, field, ...)                                                                     \
    {                                                                                              \
        name, offsetof(struct credential, field), sizeof((struct credential *)0)->field,           \
            __VA_ARGS__                                                                            \
    }
    TEXT("user", user, 1, false),
    TEXT("password", password, PASSWORD_MIN, false),
    TEXT("api_key", encoded, 1, false),
    TEXT("keystore", keystore, 1, false),
    TEXT("ca", ca, 2, true),
    TEXT("cert", cert, 2, true),
    TEXT("key", key, 2, true),
};

static int set_text(struct credential *c, const struct member *m, const char *text,
                    struct error *err)
{
    char why[80];
    char *to = (char *)c + m->at;
    size_t len = strlen(text);
    (void)snprintf(why, sizeof why, "is not a text of %zu to %zu characters", m->min, m->size - 1);
    if (len < m->min || len >= m->size)
        return reject_member(c, err, m->name, why);
    if (!text_is_printable(text))
        return reject_member(c, err, m->name, "holds a byte that is not printable ASCII");
    if (m->path && (*text != '/' || strspn(text, path_set) < len || strstr(text, "..")))
        return reject_member(c, err, m->name, "is not an absolute path of A-Z a-z 0-9 . _ - /");
    if (*to)
        return reject_member(c, err, m->name, "is given twice");
    memcpy(to, text, len + 1);
    return 0;
}

int credential_set(struct credential *credential, const char *name, const char *text,
                   struct error *err)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (strcmp(texts[i].name, name) == 0)
            return set_text(credential, &texts[i], text, err);
    }
    return -ENOENT;
}

/* What is not a text has no characters. */
static int read_texts(struct credential *c, const cJSON *root, struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < COUNT(texts); i++) {
        if (cJSON_GetObjectItemCaseSensitive(root, texts[i].name))
            rc = set_text(c, &texts[i], json_text(root, texts[i].name, ""), err);
    }
    return rc;
}

/* ---- what goes together -------------------------------------------------- */

static bool is_pair(const char *a, const char *b)
{
    return (a[0] == '\0') == (b[0] == '\0');
}

static int check_keystore(const struct credential *c, struct error *err)
{
    if (c->keystore[strspn(c->keystore, key_set)] || strchr(c->keystore, '-'))
        return reject_member(c, err, "keystore", "is not a name of A-Z a-z 0-9 _");
    if (c->keystore[0] && (c->password[0] || c->encoded[0]))
        return reject_member(c, err, "keystore",
                             "cannot be given together with password or api_key");
    return 0;
}

static int check_user(const struct credential *c, struct error *err)
{
    size_t len = strlen(c->user);
    if (!c->keystore[0] && !is_pair(c->user, c->password))
        return reject_member(c, err, c->user[0] ? "user" : "password",
                             "needs the other one of user and password");
    if (strchr(c->user, ':') || (len && (c->user[0] == ' ' || c->user[len - 1] == ' ')))
        return reject_member(c, err, "user", "holds ':' or has a blank at an end");
    if (len && c->encoded[0])
        return reject_member(c, err, "api_key", "cannot be given together with user and password");
    return 0;
}

/* "id:key" in its plain form; len counts NULs, too. */
static bool is_api_key(const char *text, size_t len)
{
    const char *colon = strchr(text, ':');
    return strlen(text) == len && len < CREDENTIAL_SECRET && colon && colon > text &&
           strspn(text, key_set) == (size_t)(colon - text) && strlen(colon + 1) >= PASSWORD_MIN &&
           strspn(colon + 1, key_set) == strlen(colon + 1);
}

static void free_secret(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* Both forms from either of them. */
static int complete_api_key(struct credential *c, struct error *err)
{
    char *plain = NULL, *encoded = NULL;
    int rc = 0;
    size_t len = strlen(c->encoded);
    if (len == 0)
        return 0;
    if (strchr(c->encoded, ':'))
        plain = strdup(c->encoded);
    else
        rc = base64_decode(c->encoded, &plain, &len);
    if (rc == -EBADMSG || (plain && !is_api_key(plain, len)))
        rc = reject_member(c, err, "api_key", "is neither id:key nor the base64 of it");
    else if (plain)
        encoded = base64_encode(plain, strlen(plain));
    if (rc == 0 && encoded) {
        memcpy(c->api_key, plain, strlen(plain) + 1);
        memcpy(c->encoded, encoded, strlen(encoded) + 1);
    } else if (rc != -EBADMSG) {
        rc = error_set(err, -ENOMEM, "out of memory");
    }
    free_secret(plain);
    free_secret(encoded);
    return rc;
}

int credential_complete(struct credential *credential, struct error *err)
{
    const struct credential *c = credential;
    int rc = check_keystore(c, err);
    if (rc == 0)
        rc = check_user(c, err);
    if (rc == 0)
        rc = complete_api_key(credential, err);
    if (rc == 0 && !is_pair(c->cert, c->key))
        rc = reject_member(c, err, c->cert[0] ? "cert" : "key",
                           "needs the other one of cert and key");
    return rc;
}

/* ---- the rest of a file -------------------------------------------------- */

static int read_hosts(struct credential *c, const cJSON *root, struct error *err)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(root, "hosts");
    const cJSON *item = NULL;
    char echo[SETTING_VALUE_ECHO];
    if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) == 0)
        return reject_member(c, err, "hosts",
                             "must list the hosts it may be sent to, at least one");
    cJSON_ArrayForEach(item, array)
    {
        struct error why = {0};
        const char *text = cJSON_IsString(item) ? item->valuestring : "";
        if (c->hosts == CREDENTIAL_HOSTS)
            return reject_member(c, err, "hosts", "has more than 32 entries");
        if (host_entry(text, c->host[c->hosts], &why) < 0)
            return error_set(err, -EBADMSG, "%s: \"%s\" in \"hosts\" %s", c->path,
                             setting_value_echo(text, strlen(text), echo), why.text);
        c->hosts++;
    }
    return 0;
}

static int read_insecure(struct credential *c, const cJSON *root, struct error *err)
{
    struct error why = {0};
    int rc = json_boolean(root, "insecure_http", &c->insecure_http, &why);
    if (rc == 0 || !cJSON_GetObjectItemCaseSensitive(root, "insecure_http"))
        return 0;
    return reject_member(c, err, "insecure_http", "is neither true nor false");
}

/* ---- the whole ----------------------------------------------------------- */

static int read_members(struct credential *c, const cJSON *root, struct error *err)
{
    if (!cJSON_IsObject(root))
        return error_set(err, -EBADMSG, "%s: is not a JSON object", c->path);
    int rc = check_credential_members(c, root, err);
    if (rc == 0)
        rc = read_texts(c, root, err);
    if (rc == 0)
        rc = credential_complete(c, err);
    if (rc == 0)
        rc = read_hosts(c, root, err);
    if (rc == 0)
        rc = read_insecure(c, root, err);
    if (rc == 0 && !c->user[0] && !c->api_key[0] && !c->keystore[0] && !c->ca[0] && !c->cert[0])
        rc = error_set(err, -EBADMSG, "%s: has neither user and password nor api_key, ca or cert",
                       c->path);
    return rc;
}

static void wipe_texts(cJSON *object)
{
    cJSON *item = NULL;
    cJSON_ArrayForEach(item, object)
    {
        if (cJSON_IsString(item))
            explicit_bzero(item->valuestring, strlen(item->valuestring));
    }
}

int credential_parse(const char *text, size_t len, const char *path, struct credential *ret,
                     struct error *err)
{
    cJSON *root = NULL;
    *ret = (struct credential){.hosts = 0};
    (void)snprintf(ret->path, sizeof ret->path, "%s", path);
    int rc = json_parse(text, len, path, &root, err);
    if (rc == 0)
        rc = read_members(ret, root, err);
    if (rc < 0)
        credential_release(ret);
    wipe_texts(root);
    cJSON_Delete(root);
    return rc;
}

/* Of a file that passed trust_path(): nobody exchanges it meanwhile. */
static int check_private(const char *path, struct error *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return error_errno(err, "look at", path);
    if (st.st_mode & S_IRWXO)
        return error_set(err, -EPERM, "%s can be read by everybody: chmod o-rwx it", path);
    return 0;
}

/* Is it in the directory of the credential, or below? */
static bool is_beside(const struct credential *c, const char *path)
{
    size_t len = (size_t)(strrchr(c->path, '/') - c->path) + 1;
    return strncmp(path, c->path, len) == 0;
}

static int check_file(const struct credential *c, const char *path, bool private, struct error *err)
{
    struct error why = {0};
    if (!path[0])
        return 0;
    if (is_beside(c, path))
        return error_set(err, -EBADMSG,
                         "%s: %s stands among the credentials, which a log shipper does not see: "
                         "put it elsewhere",
                         c->path, path);
    int rc = trust_path(path, &why);
    if (rc == 0 && private)
        rc = check_private(path, &why);
    if (rc == 0 && access(path, R_OK) < 0)
        rc = error_errno(&why, "read", path);
    if (rc == -ENOENT)
        rc = -EBADMSG; /* the credential itself is there */
    return rc < 0 ? error_set(err, rc, "%s: %s", c->path, why.text) : 0;
}

static int add_file(struct digest *digest, const char *path, struct error *err)
{
    struct buffer text = BUFFER_INIT(PEM_MAX);
    int rc = path[0] ? file_read(path, &text, err) : 0;
    digest_add(digest, buffer_text(&text), text.len + 1);
    buffer_wipe(&text);
    return rc;
}

/* Anyone who sees the digest of a key learns nothing: it has too many bits to be tried. */
static int check_files(struct credential *c, struct error *err)
{
    const char *const files[] = {c->ca, c->cert, c->key};
    struct digest digest;
    int rc = 0;
    digest_begin(&digest);
    for (size_t i = 0; rc == 0 && i < COUNT(files); i++) {
        rc = check_file(c, files[i], files[i] == c->key, err);
        if (rc == 0)
            rc = add_file(&digest, files[i], err);
    }
    if (rc == 0 && (c->ca[0] || c->cert[0]))
        digest_end(&digest, c->files);
    return rc;
}

static int find_file(const char *config_dir, const char *name, enum credential_use use,
                     char ret[CREDENTIAL_PATH], struct error *err)
{
    char checked[SETTING_VALUE_SOURCE];
    struct error why = {0};
    int n = 0, rc = setting_value_source(name, checked, &why);
    if (rc < 0)
        return error_set(err, rc, "the name of the credential %s", why.text);
    n = snprintf(ret, CREDENTIAL_PATH, "%s/credentials/%s%s.json", config_dir, checked,
                 use == CREDENTIAL_ASK ? ".read" : "");
    if (n < 0 || n >= CREDENTIAL_PATH)
        return error_set(err, -ENAMETOOLONG, "%s/credentials: path too long", config_dir);
    return 0;
}

/* Read without growing: what grows leaves copies behind. */
static int read_private(const char *path, struct buffer *text, struct error *err)
{
    static const char room[FILE_MAX];
    int rc = buffer_append(text, room, sizeof room);
    buffer_clear(text);
    if (rc == 0)
        rc = trust_read(path, text, err);
    if (rc == 0)
        rc = check_private(path, err);
    return rc;
}

int credential_read(const char *config_dir, const char *name, enum credential_use use,
                    struct credential *ret, struct error *err)
{
    char path[CREDENTIAL_PATH];
    struct buffer text = BUFFER_INIT(FILE_MAX);
    *ret = (struct credential){.hosts = 0};
    int rc = find_file(config_dir, name, use, path, err);
    if (rc < 0)
        return rc;
    rc = read_private(path, &text, err);
    if (rc == -ENOENT)
        rc = error_set(err, rc, "there is no credential %s on this server: %s is missing", name,
                       path);
    if (rc == 0)
        rc = credential_parse(buffer_text(&text), text.len, path, ret, err);
    if (rc == 0 && use == CREDENTIAL_ASK && ret->keystore[0])
        rc = reject_member(ret, err, "keystore", "is for a log shipper, not to ask with");
    if (rc == 0)
        rc = check_files(ret, err);
    buffer_wipe(&text);
    if (rc < 0)
        credential_release(ret);
    return rc;
}

void credential_release(struct credential *credential)
{
    explicit_bzero(credential, sizeof *credential);
}

/* ---- where it may go ----------------------------------------------------- */

int credential_judge(const struct credential *credential, const char *url, struct error *err)
{
    struct url parsed;
    int rc = url_parse(url, &parsed, err);
    if (rc < 0)
        return rc;
    if (!parsed.https && !credential->insecure_http)
        return error_set(err, -EPERM,
                         "host %s is reached by http://, which %s forbids (https://, or "
                         "\"insecure_http\": true)",
                         parsed.host, credential->path);
    for (size_t i = 0; i < credential->hosts; i++) {
        if (host_allowed(parsed.host, credential->host[i]))
            return 0;
    }
    return error_set(err, -EPERM, "host %s is not among \"hosts\" in %s", parsed.host,
                     credential->path);
}

int credential_choose(const char *config_dir, const struct settings *s, enum credential_use use,
                      struct credential *ret, struct error *err)
{
    enum setting setting = LOG_ELASTICSEARCH_CREDENTIAL;
    struct error why = {0};
    int rc = 0;
    *ret = (struct credential){.hosts = 0};
    if (!s->log_enabled || !s->log_credential[0])
        return 0;
    rc = credential_read(config_dir, s->log_credential, use, ret, &why);
    for (size_t i = 0; rc == 0 && i < s->log_urls; i++) {
        setting = LOG_ELASTICSEARCH_URL;
        rc = credential_judge(ret, s->log_url[i], &why);
    }
    if (rc == 0)
        return 0;
    credential_release(ret);
    return error_set(err, rc, "%s: %s", settings_row(setting)->key, why.text);
}
