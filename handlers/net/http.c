/* SPDX-License-Identifier: MIT */
#include "net/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_SHARE 2 /* it must be connected after this part of the limit */

_Static_assert(sizeof((struct http *)0)->detail == CURL_ERROR_SIZE, "libcurl writes as much");

/* Numbers of OpenSSL's X509_V_ERR_..., which CURLINFO_SSL_VERIFYRESULT gives. libcurl
 * compares the name itself, and does so before it asks for OpenSSL's own result. */
#define UNSPECIFIED   1
#define NOT_YET_VALID 9
#define HAS_EXPIRED   10

/* ---- one request --------------------------------------------------------- */

static size_t on_bytes(char *data, size_t size, size_t count, void *arg)
{
    return buffer_append(arg, data, size * count) == 0 ? size * count : 0;
}

/* Forget the latest request; the connection stays. */
static void clear(struct http *http)
{
    for (struct curl_slist *h = http->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(http->headers);
    curl_slist_free_all(http->connect_to);
    buffer_release(&http->answer);
    if (http->curl)
        curl_easy_reset(http->curl);
    *http = (struct http){.curl = http->curl};
}

static void set_text(CURL *curl, CURLoption option, const char *text)
{
    if (text && *text)
        (void)curl_easy_setopt(curl, option, text);
}

static void set_limits(CURL *curl, int64_t limit_ms)
{
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)limit_ms);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(limit_ms / CONNECT_SHARE));
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* or DNS outlasts us */
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* nor from the environment */
}

static void set_identity(CURL *curl, const struct http_request *request)
{
    set_text(curl, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    set_text(curl, CURLOPT_CAINFO, request->ca);
    set_text(curl, CURLOPT_SSLCERT, request->cert);
    set_text(curl, CURLOPT_SSLKEY, request->key);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, request->unverified ? 0L : 1L);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, request->unverified ? 0L : 2L);
    (void)curl_easy_setopt(curl, CURLOPT_CERTINFO, request->certificates ? 1L : 0L);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, request->greeting ? 1L : 0L);
    set_text(curl, CURLOPT_USERNAME, request->user);
    set_text(curl, CURLOPT_PASSWORD, request->password);
}

static void set_body(CURL *curl, const struct http_request *request)
{
    if (request->body) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->len);
    }
    set_text(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static int set_headers(struct http *http, const struct http_request *request)
{
    for (size_t i = 0; i < HTTP_HEADERS; i++) {
        const char *line = request->header[i];
        struct curl_slist *longer = line && *line ? curl_slist_append(http->headers, line) : NULL;
        if (line && *line && !longer)
            return -ENOMEM;
        http->headers = longer ? longer : http->headers;
    }
    (void)curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, (struct curl_slist *)http->headers);
    return 0;
}

/* libcurl takes the certificate's name from the URL: so the URL gets the name, and connect_to
 * the address. */
static int set_named(struct http *http, CURLU *url, const char *name)
{
    char to[600];
    char *host = NULL, *port = NULL, *whole = NULL;
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_HOST, name, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_URL, &whole, 0) == CURLUE_OK) {
        (void)snprintf(to, sizeof to, "::%s:%s", host, port);
        http->connect_to = curl_slist_append(NULL, to);
        (void)curl_easy_setopt(http->curl, CURLOPT_CONNECT_TO, http->connect_to);
        (void)curl_easy_setopt(http->curl, CURLOPT_URL, whole);
    }
    curl_free(host);
    curl_free(port);
    curl_free(whole);
    return http->connect_to ? 0 : -EINVAL;
}

static int set_url(struct http *http, const struct http_request *request)
{
    const char *name = request->server_name;
    if (!name || !*name || strncmp(request->url, "https://", 8) != 0)
        return curl_easy_setopt(http->curl, CURLOPT_URL, request->url) == CURLE_OK ? 0 : -ENOMEM;
    CURLU *url = curl_url();
    int rc = url ? 0 : -ENOMEM;
    if (url && curl_url_set(url, CURLUPART_URL, request->url, 0) != CURLUE_OK)
        rc = -EINVAL;
    if (rc == 0)
        rc = set_named(http, url, name);
    curl_url_cleanup(url);
    return rc;
}

int http_prepare(struct http *http, const struct http_request *request)
{
    clear(http);
    if (!http->curl && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        http->curl = curl_easy_init();
    if (!http->curl)
        return -ENOMEM;
    http->result = HTTP_SLOW; /* until it has ended */
    http->answer = BUFFER_INIT(request->most);
    set_limits(http->curl, request->limit_ms);
    set_identity(http->curl, request);
    set_body(http->curl, request);
    (void)curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, &http->answer);
    (void)curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->detail);
    (void)curl_easy_setopt(http->curl, CURLOPT_PRIVATE, http);
    int rc = set_url(http, request);
    return rc < 0 ? rc : set_headers(http, request);
}

/* ---- what became of it --------------------------------------------------- */

static bool has_time(CURL *curl, CURLINFO info)
{
    curl_off_t us = 0;
    return curl_easy_getinfo(curl, info, &us) == CURLE_OK && us > 0;
}

/* How far did it get when time was over? */
static enum http_result judge_late(CURL *curl)
{
    if (has_time(curl, CURLINFO_CONNECT_TIME_T))
        return HTTP_SLOW;
    return has_time(curl, CURLINFO_NAMELOOKUP_TIME_T) ? HTTP_UNREACHABLE : HTTP_DNS;
}

static enum http_result judge_certificate(CURL *curl)
{
    long found = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_SSL_VERIFYRESULT, &found);
    if (found == HAS_EXPIRED || found == NOT_YET_VALID)
        return HTTP_EXPIRED;
    return found <= UNSPECIFIED ? HTTP_OTHER_NAME : HTTP_UNTRUSTED;
}

static enum http_result judge_connection(CURL *curl)
{
    long number = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &number);
    return number == ECONNREFUSED ? HTTP_REFUSED : HTTP_UNREACHABLE;
}

/* With TLS 1.3 a client without a certificate is told so only when it reads the answer; libcurl
 * has no number of its own for that. */
static enum http_result judge_cut(const struct http *http)
{
    return strstr(http->detail, "alert certificate required") ? HTTP_NO_TLS : HTTP_CUT;
}

static enum http_result judge_result(const struct http *http, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_DNS;
    case CURLE_COULDNT_CONNECT:
        return judge_connection(http->curl);
    case CURLE_OPERATION_TIMEDOUT:
        return judge_late(http->curl);
    case CURLE_PEER_FAILED_VERIFICATION:
        return judge_certificate(http->curl);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
        return HTTP_NO_TLS;
    case CURLE_WRITE_ERROR:
        return HTTP_LARGE;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
        return HTTP_FOREIGN;
    default:
        return judge_cut(http);
    }
}

static void note_end(struct http *http, CURLcode code)
{
    http->result = judge_result(http, code);
    http->late = code == CURLE_OPERATION_TIMEDOUT;
    http->words = curl_easy_strerror(code);
    (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &http->status);
}

void http_perform(struct http *http)
{
    note_end(http, curl_easy_perform(http->curl));
}

static void note_ended(CURLM *multi)
{
    int left = 0;
    const CURLMsg *end;
    while ((end = curl_multi_info_read(multi, &left))) {
        char *http = NULL;
        (void)curl_easy_getinfo(end->easy_handle, CURLINFO_PRIVATE, &http);
        note_end((struct http *)(void *)http, end->data.result);
    }
}

/* Every handle has its own limit, so this ends. */
static void perform_all(CURLM *multi)
{
    int running = 1;
    while (running > 0) {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return;
        note_ended(multi);
        if (running > 0 && curl_multi_poll(multi, NULL, 0, 100, NULL) != CURLM_OK)
            return;
    }
}

int http_perform_all(struct http *https, size_t n)
{
    CURLM *multi = curl_multi_init();
    bool ready = multi != NULL;
    for (size_t i = 0; ready && i < n; i++)
        ready = !https[i].curl || curl_multi_add_handle(multi, https[i].curl) == CURLM_OK;
    if (ready)
        perform_all(multi);
    for (size_t i = 0; multi && i < n; i++)
        (void)curl_multi_remove_handle(multi, https[i].curl);
    (void)curl_multi_cleanup(multi);
    return ready ? 0 : -ENOMEM;
}

int http_certificates(const struct http *http, struct buffer *pem)
{
    static const char name[] = "Cert:";
    struct curl_certinfo *shown = NULL;
    int rc = 0;
    if (curl_easy_getinfo(http->curl, CURLINFO_CERTINFO, &shown) != CURLE_OK || !shown)
        return 0;
    for (int i = 0; i < shown->num_of_certs; i++)
        for (const struct curl_slist *field = shown->certinfo[i]; rc == 0 && field;
             field = field->next)
            if (strncmp(field->data, name, sizeof name - 1) == 0)
                rc = buffer_printf(pem, "%s\n", field->data + sizeof name - 1);
    return rc;
}

void http_release(struct http *http)
{
    clear(http);
    curl_easy_cleanup(http->curl);
    http->curl = NULL;
}
