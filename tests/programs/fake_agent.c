/* SPDX-License-Identifier: MIT */
#include "fake_agent.h"
#include "base/base64.h"

#include "base/buffer.h"
#include "harness.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>

#define ANSWERS  64
#define REQUESTS 64

struct answer {
    char request[300];
    char *body;
    unsigned status;
    int delay_ms;
};

struct request {
    char line[600];
    char *body;
};

struct fake_agent {
    struct MHD_Daemon *daemon;
    struct answer answer[ANSWERS];
    size_t answers;
    struct request sent[REQUESTS];
    size_t n_sent;
    pthread_mutex_t lock; /* of sent */
    int slow_ms;
    bool leader;
    char env[64];
};

static struct answer *find(struct fake_agent *agent, const char *request)
{
    for (size_t i = 0; i < agent->answers; i++)
        if (strcmp(agent->answer[i].request, request) == 0)
            return &agent->answer[i];
    return NULL;
}

static struct answer *find_or_add(struct fake_agent *agent, const char *request)
{
    struct answer *answer = find(agent, request);
    if (answer)
        return answer;
    if (agent->answers == ANSWERS)
        harness_fail("fake agent: too many answers");
    answer = &agent->answer[agent->answers++];
    (void)snprintf(answer->request, sizeof answer->request, "%s", request);
    return answer;
}

static enum MHD_Result add_query(void *cls, enum MHD_ValueKind kind, const char *key,
                                 const char *value)
{
    struct request *request = cls;
    size_t len = strlen(request->line);
    (void)kind;
    (void)snprintf(request->line + len, sizeof request->line - len, "%c%s%s%s",
                   strchr(request->line, '?') ? '&' : '?', key, value ? "=" : "",
                   value ? value : "");
    return MHD_YES;
}

static void remember(struct fake_agent *agent, struct MHD_Connection *connection, const char *line,
                     const char *body)
{
    (void)pthread_mutex_lock(&agent->lock);
    if (agent->n_sent < REQUESTS) {
        struct request *request = &agent->sent[agent->n_sent++];
        (void)snprintf(request->line, sizeof request->line, "%s", line);
        (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_query, request);
        request->body = strdup(body);
    }
    (void)pthread_mutex_unlock(&agent->lock);
}

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *body)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result rc = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return rc;
}

/* Query arguments without a value are not looked up by their name. */
struct arguments {
    bool consistent, keys;
};

static enum MHD_Result note_argument(void *cls, enum MHD_ValueKind kind, const char *key,
                                     const char *value)
{
    struct arguments *arguments = cls;
    (void)kind;
    (void)value;
    arguments->consistent = arguments->consistent || strcmp(key, "consistent") == 0;
    arguments->keys = arguments->keys || strcmp(key, "keys") == 0;
    return MHD_YES;
}

static enum MHD_Result answer_request(struct fake_agent *agent, struct MHD_Connection *connection,
                                      const char *method, const char *url, const char *body)
{
    char line[300];
    struct arguments asked = {false, false};
    (void)snprintf(line, sizeof line, "%s %s", method, url);
    remember(agent, connection, line, body);
    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, note_argument, &asked);
    sleep_ms(agent->slow_ms);
    if (asked.keys)
        (void)snprintf(line, sizeof line, "%s %s?keys", method, url);
    if (asked.consistent && !agent->leader)
        return respond(connection, 500, "No cluster leader");
    const struct answer *answer = find(agent, line);
    if (!answer || !answer->body)
        return respond(connection, 404, "");
    sleep_ms(answer->delay_ms);
    return respond(connection, answer->status, answer->body);
}

/* First without, then with pieces of the body, then once more: the request is whole. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **context)
{
    struct buffer *body = *context;
    (void)version;
    if (!body) {
        body = calloc(1, sizeof *body);
        if (!body)
            return MHD_NO;
        body->limit = 1U << 20;
        *context = body;
        return MHD_YES;
    }
    if (*upload_size == 0)
        return answer_request(cls, connection, method, url, buffer_text(body));
    if (buffer_append(body, upload, *upload_size) < 0)
        return MHD_NO;
    *upload_size = 0;
    return MHD_YES;
}

static void on_end(void *cls, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)connection;
    (void)code;
    if (*context)
        buffer_release(*context);
    free(*context);
    *context = NULL;
}

struct fake_agent *fake_agent_start(void)
{
    struct fake_agent *agent = calloc(1, sizeof *agent);
    struct sockaddr_in loopback = {.sin_family = AF_INET};
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!agent)
        harness_fail("out of memory");
    agent->leader = true;
    (void)pthread_mutex_init(&agent->lock, NULL);
    agent->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, on_request,
        agent, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback, MHD_OPTION_NOTIFY_COMPLETED,
        on_end, NULL, MHD_OPTION_END);
    if (!agent->daemon)
        harness_fail("the fake agent cannot listen");
    (void)snprintf(agent->env, sizeof agent->env, "CONSUL_HTTP_ADDR=http://127.0.0.1:%u",
                   MHD_get_daemon_info(agent->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    return agent;
}

void fake_agent_forget(struct fake_agent *agent)
{
    (void)pthread_mutex_lock(&agent->lock);
    for (size_t i = 0; i < agent->n_sent; i++)
        free(agent->sent[i].body);
    agent->n_sent = 0;
    (void)pthread_mutex_unlock(&agent->lock);
}

void fake_agent_stop(struct fake_agent *agent)
{
    if (!agent)
        return;
    MHD_stop_daemon(agent->daemon);
    fake_agent_forget(agent);
    for (size_t i = 0; i < agent->answers; i++)
        free(agent->answer[i].body);
    (void)pthread_mutex_destroy(&agent->lock);
    free(agent);
}

const char *fake_agent_env(const struct fake_agent *agent)
{
    return agent->env;
}

void fake_agent_answer(struct fake_agent *agent, const char *request, unsigned status,
                       const char *body)
{
    struct answer *answer = find_or_add(agent, request);
    free(answer->body);
    answer->body = body ? strdup(body) : NULL;
    answer->status = status;
}

void fake_agent_delay(struct fake_agent *agent, const char *request, int delay_ms)
{
    find_or_add(agent, request)->delay_ms = delay_ms;
}

void fake_agent_kv(struct fake_agent *agent, const char *key, const char *value,
                   unsigned modify_index)
{
    char request[300];
    struct buffer body = BUFFER_INIT(1U << 20);
    (void)snprintf(request, sizeof request, "GET /v1/kv/%s", key);
    if (!value) {
        fake_agent_answer(agent, request, 404, NULL);
        return;
    }
    char *base64 = base64_encode(value, strlen(value));
    if (!base64 || buffer_printf(&body,
                                 "[{\"LockIndex\":0,\"Key\":\"%s\",\"Flags\":0,\"Value\":\"%s\","
                                 "\"CreateIndex\":1,\"ModifyIndex\":%u}]",
                                 key, base64, modify_index) < 0)
        harness_fail("out of memory");
    fake_agent_answer(agent, request, 200, buffer_text(&body));
    free(base64);
    buffer_release(&body);
}

void fake_agent_slow(struct fake_agent *agent, int delay_ms)
{
    agent->slow_ms = delay_ms;
}

void fake_agent_leader(struct fake_agent *agent, bool leader)
{
    agent->leader = leader;
}

const char *fake_agent_sent(struct fake_agent *agent, const char *request)
{
    const char *body = NULL;
    (void)pthread_mutex_lock(&agent->lock);
    for (size_t i = 0; i < agent->n_sent; i++)
        if (strcmp(agent->sent[i].line, request) == 0)
            body = agent->sent[i].body;
    (void)pthread_mutex_unlock(&agent->lock);
    return body;
}

void fake_agent_voters(struct fake_agent *agent, int n)
{
    struct buffer text = BUFFER_INIT(65536);
    assert_int_equal(buffer_printf(&text, "{\"Servers\":["), 0);
    for (int i = 1; i <= n; i++)
        assert_int_equal(
            buffer_printf(&text,
                          "%s{\"ID\":\"id-%d\",\"Node\":\"n%d\",\"Address\":\"10.0.0.%d:"
                          "8300\",\"Leader\":%s,\"ProtocolVersion\":\"3\",\"Voter\":true}",
                          i > 1 ? "," : "", i, i, i, i == 1 ? "true" : "false"),
            0);
    assert_int_equal(buffer_printf(&text, "],\"Index\":0}"), 0);
    fake_agent_answer(agent, "GET /v1/operator/raft/configuration", 200, buffer_text(&text));
    buffer_release(&text);
}

const char *fake_agent_published(struct fake_agent *agent, const char *check_id)
{
    static char text[5000];
    char request[200];
    (void)snprintf(request, sizeof request, "PUT /v1/agent/check/update/%s", check_id);
    const char *body = fake_agent_sent(agent, request);
    cJSON *root = body ? cJSON_Parse(body) : NULL;
    const cJSON *status = cJSON_GetObjectItem(root, "Status");
    const cJSON *output = cJSON_GetObjectItem(root, "Output");
    (void)snprintf(text, sizeof text, "%s%s%s", cJSON_IsString(status) ? status->valuestring : "",
                   root ? "|" : "", cJSON_IsString(output) ? output->valuestring : "");
    cJSON_Delete(root);
    return text;
}
