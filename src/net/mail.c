/* The setting `mail`, the check of a message, and sending it through libcurl. */
#include "net/mail.h"

#include "base/buf.h"
#include "base/text.h"
#include "net/mime.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct scheme {
    const char *prefix;
    const char *curl; /* libcurl's name for it */
    enum mail_scheme scheme;
    int port;
    long use_ssl;
};

static const struct scheme schemes[] = {
    {"smtp://", "smtp", MAIL_STARTTLS, 587, CURLUSESSL_ALL},
    {"smtps://", "smtps", MAIL_TLS, 465, CURLUSESSL_ALL},
    {"smtp+plain://", "smtp", MAIL_PLAIN, 25, CURLUSESSL_NONE},
};
enum { N_SCHEMES = sizeof(schemes) / sizeof(schemes[0]) };

/* ---- The setting ---- */

/* One decoded part of the URL into a fixed field; an absent part leaves "". */
static bool take_part(CURLU *url, CURLUPart part, unsigned flags, size_t size, char *ret_text)
{
    char *text = NULL;
    CURLUcode rc = curl_url_get(url, part, &text, flags);
    bool good = text == NULL ? rc == CURLUE_NO_USER || rc == CURLUE_NO_PASSWORD
                             : strlen(text) < size && text_is_utf8(str_from(text)) &&
                                   !text_has_control(str_from(text), false);

    if (good && text != NULL)
        memcpy(ret_text, text, strlen(text) + 1);
    curl_free(text);
    return good;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    CURLUcode rc = curl_url_get(url, part, &text, 0);
    bool has = rc == CURLUE_OK && (part != CURLUPART_PATH || strcmp(text, "/") != 0);

    curl_free(text);
    return has;
}

/* NULL: all of the URL is understood. */
static const char *read_url(CURLU *url, const char *setting, const struct scheme *scheme,
                            struct mail_target *target)
{
    char port[16] = "";
    char *text = NULL;

    if (curl_url_set(url, CURLUPART_URL, setting, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        return "not a valid URL: write user:password@host:port, with @ : / # and % in the user "
               "or password as %40 %3A %2F %23 %25";
    if (has_part(url, CURLUPART_PATH) || has_part(url, CURLUPART_QUERY) ||
        has_part(url, CURLUPART_FRAGMENT) || has_part(url, CURLUPART_OPTIONS))
        return "nothing may follow host and port; write ; / ? # in a password as %3B %2F %3F %23";
    if (!take_part(url, CURLUPART_HOST, 0, sizeof(target->host), target->host) ||
        target->host[0] == '\0')
        return "the host is missing or too long";
    if (!take_part(url, CURLUPART_USER, CURLU_URLDECODE, sizeof(target->user), target->user) ||
        !take_part(url, CURLUPART_PASSWORD, CURLU_URLDECODE, sizeof(target->password),
                   target->password))
        return "user and password must be percent-encoded UTF-8 of at most 255 bytes each, "
               "without control characters";
    if ((target->user[0] == '\0') != (target->password[0] == '\0'))
        return "a user needs a password, and a password a user";
    target->port = scheme->port;
    if (curl_url_get(url, CURLUPART_PORT, &text, 0) == CURLUE_OK) {
        int64_t number = 0;
        snprintf(port, sizeof(port), "%s", text);
        curl_free(text);
        if (!str_to_int64(str_from(port), &number) || number < 1 || number > 65535)
            return "the port must be 1 to 65535";
        target->port = (int)number;
    }
    target->scheme = scheme->scheme;
    return NULL;
}

bool mail_target_parse(const char *setting, struct mail_target *ret_target,
                       char ret_error[static MAIL_ERROR_SIZE])
{
    struct mail_target target = {
        .scheme = MAIL_LOG,
        .connect_timeout_ms = MAIL_CONNECT_TIMEOUT_MS,
        .total_timeout_ms = MAIL_TOTAL_TIMEOUT_MS,
    };
    const char *fault = "must be log, smtp://user:password@host:587 (STARTTLS), "
                        "smtps://user:password@host:465 or smtp+plain://host:25";

    if (strcmp(setting, "log") == 0)
        fault = NULL;
    for (size_t i = 0; i < N_SCHEMES; i++) {
        if (!str_starts(str_from(setting), str_from(schemes[i].prefix)))
            continue;
        CURLU *url = curl_url();
        fault = url == NULL ? "out of memory" : read_url(url, setting, &schemes[i], &target);
        curl_url_cleanup(url);
    }
    if (fault != NULL) {
        snprintf(ret_error, MAIL_ERROR_SIZE, "%s", fault);
        return false;
    }
    *ret_target = target;
    return true;
}

/* ---- The message ---- */

/* What may stand between the brackets of an SMTP path. Whether it can be delivered is the server's
 * to say; here nothing may end the path or the line. */
static bool is_address(struct str s)
{
    struct str rest = s, local;

    if (s.len == 0 || s.len > MAIL_ADDRESS_MAX_BYTES || !text_is_utf8(s) ||
        text_has_control(s, false))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (strchr(" <>()[]\\,;:\"", s.ptr[i]) != NULL)
            return false;
    }
    if (!str_split(&rest, '@', &local) || local.len == 0 || local.len > 64 || rest.len == 0)
        return false;
    return !str_contains(rest, STR("@"));
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] > 0x7e)
            return false;
    }
    return true;
}

static bool is_header_text(struct str s, size_t max_bytes)
{
    return s.len <= max_bytes && text_is_utf8(s) && !text_has_control(s, false);
}

static bool is_body(struct str s)
{
    return text_is_utf8(s) && (s.len == 0 || memchr(s.ptr, '\0', s.len) == NULL);
}

static bool is_id(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_';
        if (!good)
            return false;
    }
    return s.len <= 64;
}

const char *mail_message_fault(const struct mail_message *message)
{
    if (!is_address(message->from.addr) || !is_ascii(message->from.addr))
        return "the sender's address is not valid";
    if (!is_header_text(message->from.name, MAIL_NAME_MAX_BYTES))
        return "the sender's name is too long or holds a line break";
    if (!is_address(message->to))
        return "the recipient's address is not valid";
    if (!is_header_text(message->subject, MAIL_SUBJECT_MAX_BYTES))
        return "the subject is too long or holds a line break";
    if (!is_body(message->text) || !is_body(message->html))
        return "the text is not UTF-8";
    if (!is_id(message->id))
        return "the id is not valid";
    return NULL;
}

/* Without its quotes and backslashes, if it is quoted. */
static struct str unquote(struct arena *arena, struct str s)
{
    struct buf buf;

    if (s.len < 2 || s.ptr[0] != '"' || s.ptr[s.len - 1] != '"')
        return s;
    buf_init(&buf, arena);
    for (size_t i = 1; i < s.len - 1; i++) {
        if (s.ptr[i] == '\\' && i + 1 < s.len - 1)
            i++;
        buf_put_char(&buf, s.ptr[i]);
    }
    return buf_str(&buf);
}

bool mail_address_parse(struct arena *arena, struct str text, struct mail_address *ret_address)
{
    struct str rest = str_trim(text), name = STR_NONE;

    if (rest.len > 0 && rest.ptr[rest.len - 1] == '>') {
        const char *open = memrchr(rest.ptr, '<', rest.len);
        if (open == NULL)
            return false;
        size_t at = (size_t)(open - rest.ptr);
        name = unquote(arena, str_trim(str_slice(rest, 0, at)));
        rest = str_slice(rest, at + 1, rest.len - 1);
    }
    if (!is_address(rest) || !is_ascii(rest) || !is_header_text(name, MAIL_NAME_MAX_BYTES))
        return false;
    ret_address->name = name.len > 0 ? arena_dup(arena, name) : STR_NONE;
    ret_address->addr = arena_dup(arena, rest);
    return true;
}

/* ---- Sending ---- */

/* One attempt. libcurl gives the reply's code but neither the server's words nor which command they
 * answered, and only both tell a refused recipient from a broken account. */
struct attempt {
    const struct mail_target *target;
    struct arena *arena;
    CURL *curl;
    curl_mime *body;
    struct curl_slist *headers, *to;
    bool for_message; /* the last command was RCPT or DATA: replies are about this mail */
    bool leaving;     /* it was QUIT: replies say nothing any more */
    struct buf reply; /* the server's last line */
    char error[CURL_ERROR_SIZE];
};

static size_t see_reply(char *bytes, size_t size, size_t n, void *arg)
{
    struct attempt *attempt = arg;

    if (!attempt->leaving) {
        attempt->reply.len = 0;
        buf_put(&attempt->reply, bytes, size * n);
    }
    return size * n;
}

static int see_command(CURL *curl, curl_infotype type, char *bytes, size_t len, void *arg)
{
    struct attempt *attempt = arg;
    struct str sent = {bytes, len};

    (void)curl;
    if (type != CURLINFO_HEADER_OUT)
        return 0;
    attempt->leaving = str_starts(sent, STR("QUIT"));
    if (!attempt->leaving)
        attempt->for_message = str_starts(sent, STR("RCPT")) || str_starts(sent, STR("DATA"));
    return 0;
}

static size_t ignore_body(char *bytes, size_t size, size_t n, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * n;
}

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

static bool set_message(struct attempt *attempt, const struct mail_message *message)
{
    struct arena *arena = attempt->arena;
    struct str headers[MIME_HEADERS];
    struct str from = arena_printf(arena, "<" STR_FMT ">", STR_ARG(message->from.addr));

    mime_headers(arena, message, headers);
    for (size_t i = 0; i < MIME_HEADERS; i++) {
        if (!add_line(&attempt->headers, headers[i].ptr))
            return false;
    }
    attempt->body = mime_body(attempt->curl, arena, message);
    return attempt->body != NULL && add_line(&attempt->to, arena_cstr(arena, message->to)) &&
           curl_easy_setopt(attempt->curl, CURLOPT_MAIL_FROM, from.ptr) == CURLE_OK &&
           curl_easy_setopt(attempt->curl, CURLOPT_MAIL_RCPT, attempt->to) == CURLE_OK &&
           curl_easy_setopt(attempt->curl, CURLOPT_HTTPHEADER, attempt->headers) == CURLE_OK &&
           curl_easy_setopt(attempt->curl, CURLOPT_MIMEPOST, attempt->body) == CURLE_OK;
}

static bool set_connection(struct attempt *attempt)
{
    const struct mail_target *target = attempt->target;
    const struct scheme *scheme = NULL;
    bool good = true;

    for (size_t i = 0; i < N_SCHEMES; i++) {
        if (schemes[i].scheme == target->scheme)
            scheme = &schemes[i];
    }
    if (scheme == NULL)
        return false;
    struct str url =
        arena_printf(attempt->arena, "%s://%s:%d", scheme->curl, target->host, target->port);
#define SET(option, value)                                                                         \
    (good = good && curl_easy_setopt(attempt->curl, (option), (value)) == CURLE_OK)
    SET(CURLOPT_ERRORBUFFER, attempt->error);
    SET(CURLOPT_URL, url.ptr);
    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_USE_SSL, scheme->use_ssl);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (target->ca_file != NULL)
        SET(CURLOPT_CAINFO, target->ca_file);
    if (target->user[0] != '\0') {
        SET(CURLOPT_USERNAME, target->user);
        SET(CURLOPT_PASSWORD, target->password);
    }
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)target->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, (long)target->total_timeout_ms);
    SET(CURLOPT_HEADERFUNCTION, see_reply);
    SET(CURLOPT_HEADERDATA, attempt);
    SET(CURLOPT_WRITEFUNCTION, ignore_body);
    SET(CURLOPT_VERBOSE, 1L); /* or libcurl calls no debug function; nothing is printed */
    SET(CURLOPT_DEBUGFUNCTION, see_command);
    SET(CURLOPT_DEBUGDATA, attempt);
#undef SET
    return good;
}

/* Codes about the account, whatever command they answer: RFC 4954, section 6. */
static bool is_account_code(long code)
{
    return code == 530 || code == 534 || code == 535 || code == 538;
}

static bool shows_password(const struct attempt *attempt, struct str text)
{
    struct str password = str_from(attempt->target->password);
    return password.len > 0 && str_contains(text, password);
}

/* Our words for what an operator must mend, else libcurl's. */
static const char *describe(const struct attempt *attempt, CURLcode rc, long code)
{
    if (rc == CURLE_USE_SSL_FAILED && code < 400 && attempt->target->scheme == MAIL_STARTTLS)
        return "the server offers no STARTTLS, nothing was sent (smtps:// or smtp+plain://?)";
    if (rc == CURLE_LOGIN_DENIED)
        return "the server refuses user or password of the setting mail";
    if (attempt->error[0] == '\0' || shows_password(attempt, str_from(attempt->error)))
        return curl_easy_strerror(rc);
    return attempt->error;
}

/* Printable ASCII, cut to fit; the server's words only if they do not show the password. */
static void write_error(const struct attempt *attempt, const char *what, char *ret_error)
{
    struct str reply = str_trim(buf_str(&attempt->reply));

    while (reply.len > 0 && strchr("\r\n", reply.ptr[reply.len - 1]) != NULL)
        reply.len--;
    bool bad = reply.len > 3 && (reply.ptr[0] == '4' || reply.ptr[0] == '5');
    if (bad && !shows_password(attempt, reply))
        snprintf(ret_error, MAIL_ERROR_SIZE, "%s; the server says: " STR_FMT, what, STR_ARG(reply));
    else
        snprintf(ret_error, MAIL_ERROR_SIZE, "%s", what);
    for (char *c = ret_error; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
}

static void judge(const struct attempt *attempt, CURLcode rc, struct mail_result *result)
{
    long code = 0;

    curl_easy_getinfo(attempt->curl, CURLINFO_RESPONSE_CODE, &code);
    result->code = (int)code;
    if (rc == CURLE_OK) {
        result->outcome = MAIL_SENT;
        return;
    }
    /* A lost connection leaves the code of the reply before it, which was a good one. */
    bool refused = attempt->for_message && code >= 500 && code <= 599 && !is_account_code(code);
    result->outcome = refused ? MAIL_REFUSED : MAIL_RETRY;
    write_error(attempt, describe(attempt, rc, code), result->error);
}

static void send_smtp(const struct mail_target *target, struct arena *arena,
                      const struct mail_message *message, struct mail_result *result)
{
    struct attempt attempt = {.target = target, .arena = arena, .curl = curl_easy_init()};

    buf_init(&attempt.reply, arena);
    if (attempt.curl == NULL || !set_connection(&attempt) || !set_message(&attempt, message)) {
        result->outcome = MAIL_RETRY;
        snprintf(result->error, MAIL_ERROR_SIZE, "libcurl does not take the mail");
    } else {
        judge(&attempt, curl_easy_perform(attempt.curl), result);
    }
    curl_mime_free(attempt.body);
    curl_slist_free_all(attempt.headers);
    curl_slist_free_all(attempt.to);
    curl_easy_cleanup(attempt.curl);
}

static void send_log(struct arena *arena, const struct mail_message *message,
                     struct mail_result *result)
{
    char date[MIME_DATE_SIZE];
    struct buf buf;

    buf_init(&buf, arena);
    buf_printf(&buf, "Date: " STR_FMT "\nFrom: ", STR_ARG(mime_date(message->date_ms, date)));
    if (message->from.name.len > 0)
        buf_printf(&buf, STR_FMT " ", STR_ARG(message->from.name));
    buf_printf(&buf, "<" STR_FMT ">\nTo: <" STR_FMT ">\nSubject: " STR_FMT "\n\n" STR_FMT "\n\n",
               STR_ARG(message->from.addr), STR_ARG(message->to), STR_ARG(message->subject),
               STR_ARG(message->text));
    /* One write, so that mails of several threads and processes do not mix. */
    bool whole = write(STDOUT_FILENO, buf.ptr, buf.len) == (ssize_t)buf.len;
    result->outcome = whole ? MAIL_SENT : MAIL_RETRY;
    if (!whole)
        snprintf(result->error, MAIL_ERROR_SIZE, "standard output does not take the mail");
}

void mail_send(const struct mail_target *target, const struct mail_message *message,
               struct mail_result *ret_result)
{
    struct mail_result result = {.outcome = MAIL_REFUSED};
    const char *fault = mail_message_fault(message);

    if (fault != NULL) {
        snprintf(result.error, sizeof(result.error), "%s", fault);
        *ret_result = result;
        return;
    }
    struct arena *arena = arena_create();
    if (target->scheme == MAIL_LOG)
        send_log(arena, message, &result);
    else
        send_smtp(target, arena, message, &result);
    arena_destroy(arena);
    *ret_result = result;
}

const char *mail_outcome_text(enum mail_outcome outcome)
{
    switch (outcome) {
    case MAIL_SENT:
        return "sent";
    case MAIL_RETRY:
        return "retry";
    case MAIL_REFUSED:
        return "refused";
    }
    return "?";
}
