/* One request, one answer, one libcurl handle: payment calls are rare and each may take seconds, so
 * kept connections would mostly be found closed. */
#include "net/http_client.h"

#include "base/log.h"
#include "base/text.h"

#include <curl/curl.h>
#include <strings.h>

struct reader {
    struct buf body;
    bool too_large;
};

static size_t read_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct reader *reader = arg;

    if (reader->body.len + size * n > HTTP_CLIENT_BODY_MAX_BYTES) {
        reader->too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    buf_put(&reader->body, bytes, size * n);
    return size * n;
}

/* NULL: some header would not stay one line. */
static struct curl_slist *make_headers(struct arena *arena, const struct http_client_request *req)
{
    /* Providers answer at once; waiting for "100 Continue" only costs a second. */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (size_t i = 0; list != NULL && i < req->n_headers; i++) {
        struct str name = req->headers[i].name, value = req->headers[i].value;
        bool good = name.len > 0 && !text_has_control(name, false) &&
                    !text_has_control(value, false) && !str_contains(name, STR(":"));
        struct str line =
            value.len > 0 ? arena_printf(arena, STR_FMT ": " STR_FMT, STR_ARG(name), STR_ARG(value))
                          : arena_printf(arena, STR_FMT ";", STR_ARG(name));
        struct curl_slist *longer = good ? curl_slist_append(list, line.ptr) : NULL;
        if (longer == NULL)
            curl_slist_free_all(list);
        list = longer;
    }
    return list;
}

static bool set_method(CURL *curl, const struct http_client_request *req)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE", [HTTP_OTHER] = NULL,
    };
    bool has_body = req->body.ptr != NULL || req->method == HTTP_POST || req->method == HTTP_PUT;

    if (names[req->method] == NULL)
        return false;
    if (req->method == HTTP_HEAD)
        return curl_easy_setopt(curl, CURLOPT_NOBODY, 1L) == CURLE_OK;
    if (has_body && (curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                      (curl_off_t)req->body.len) != CURLE_OK ||
                     curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                                      req->body.len > 0 ? req->body.ptr : "") != CURLE_OK))
        return false;
    return curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, names[req->method]) == CURLE_OK;
}

static bool set_options(CURL *curl, const struct http_client_request *req,
                        struct curl_slist *headers, struct reader *reader, char *error)
{
    int64_t connect_ms = req->connect_timeout_ms, total_ms = req->total_timeout_ms;
    bool good = true;

    if (connect_ms == 0)
        connect_ms = HTTP_CLIENT_CONNECT_TIMEOUT_MS;
    if (total_ms == 0)
        total_ms = HTTP_CLIENT_TOTAL_TIMEOUT_MS;
#define SET(option, value) (good = good && curl_easy_setopt(curl, (option), (value)) == CURLE_OK)
    SET(CURLOPT_ERRORBUFFER, error);
    SET(CURLOPT_URL, req->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    SET(CURLOPT_TIMEOUT_MS, (long)total_ms);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (req->ca_file != NULL)
        SET(CURLOPT_CAINFO, req->ca_file);
    SET(CURLOPT_USERAGENT, "servery/" SERVERY_VERSION);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_WRITEFUNCTION, read_body);
    SET(CURLOPT_WRITEDATA, reader);
#undef SET
    return good && set_method(curl, req);
}

static bool is_http_url(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

enum err http_client_call(struct arena *arena, const struct http_client_request *request,
                          struct http_client_answer *ret_answer, struct str *ret_error)
{
    char error[CURL_ERROR_SIZE] = "";
    struct reader reader = {.too_large = false};
    enum err err = ERR_INTERNAL;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = make_headers(arena, request);
    long status = 0;
    char *type = NULL;

    buf_init(&reader.body, arena);
    if (curl == NULL || headers == NULL || !is_http_url(request->url) ||
        !set_options(curl, request, headers, &reader, error)) {
        *ret_error = STR("not a request that can be sent");
        log_line(LOG_ERROR, "http_client_bad_request", LOG_STR("error", *ret_error));
        goto out;
    }
    CURLcode rc = curl_easy_perform(curl);
    if (rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL) {
        *ret_error = arena_dup(arena, str_from(curl_easy_strerror(rc)));
        log_line(LOG_ERROR, "http_client_bad_request", LOG_STR("error", *ret_error));
        goto out;
    }
    if (rc != CURLE_OK) {
        const char *text = error[0] != '\0' ? error : curl_easy_strerror(rc);
        *ret_error =
            reader.too_large ? STR("the answer is too large") : arena_dup(arena, str_from(text));
        err = ERR_UNAVAILABLE;
        goto out;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    ret_answer->status = (int)status;
    ret_answer->content_type = arena_dup(arena, str_from(type));
    ret_answer->body = reader.body.len > 0 ? buf_str(&reader.body) : STR("");
    err = ERR_OK;
out:
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return err;
}
