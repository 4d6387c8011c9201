/* Outgoing mail: what a mail is, where mails go (the setting `mail`), and sending one. SMTP, TLS
 * and the MIME body are libcurl's; what libcurl leaves to its caller is in mime.c. */
#ifndef SERVERY_NET_MAIL_H
#define SERVERY_NET_MAIL_H

#include "base/arena.h"
#include "base/err.h"

enum {
    MAIL_ADDRESS_MAX_BYTES = 254, /* RFC 5321's path without its brackets */
    MAIL_NAME_MAX_BYTES = 256,
    MAIL_SUBJECT_MAX_BYTES = 1000,
    MAIL_ERROR_SIZE = 320,
    MAIL_CONNECT_TIMEOUT_MS = 10 * 1000,
    MAIL_TOTAL_TIMEOUT_MS = 30 * 1000,
};

struct mail_address {
    struct str name; /* shown to people, any UTF-8 without control characters; STR_NONE: none */
    struct str addr; /* local@domain */
};

/* Reads `shop@example.com` or `The Shop <shop@example.com>` (the name may be quoted), as in the
 * setting mail_from; the address must be ASCII (write an international domain as xn--…). False: it
 * is neither. Strings are made in the arena. */
MUST_CHECK bool mail_address_parse(struct arena *arena, struct str text,
                                   struct mail_address *ret_address);

struct mail_message {
    struct mail_address from;
    struct str to; /* an address alone */
    struct str subject;
    struct str text;
    struct str html; /* STR_NONE: text only */
    struct str id;   /* left part of Message-ID, [A-Za-z0-9_-]: the same at every attempt, so that
                        a mail received twice can be recognized; STR_NONE: random */
    int64_t date_ms;
};

/* Nothing that could break out of its header, nothing no server would take. NULL if the message
 * is fine, else what is wrong. mail_send refuses such a message by itself. */
const char *mail_message_fault(const struct mail_message *message);

enum mail_scheme {
    MAIL_LOG,      /* `log`: standard output */
    MAIL_STARTTLS, /* `smtp://`, port 587: no word is said without TLS */
    MAIL_TLS,      /* `smtps://`, port 465 */
    MAIL_PLAIN,    /* `smtp+plain://`, port 25: never TLS */
};

/* Plain values: copy it as you like. */
struct mail_target {
    enum mail_scheme scheme;
    char host[256]; /* an IPv6 address with its brackets */
    int port;
    char user[256], password[256]; /* decoded; both "": no authentication */
    const char *ca_file;           /* PEM; NULL: the system's authorities. Not owned */
    int64_t connect_timeout_ms, total_timeout_ms;
};

/* Reads the setting `mail`. False: *ret_error says what is wrong, without repeating the URL (it may
 * hold a password). ca_file is set to NULL and the timeouts to the defaults above. */
MUST_CHECK bool mail_target_parse(const char *setting, struct mail_target *ret_target,
                                  char ret_error[static MAIL_ERROR_SIZE]);

enum mail_outcome {
    MAIL_SENT,
    MAIL_RETRY,   /* 4xx, no connection, TLS, timeout; also what the operator must mend, such as a
                     wrong password or a sender the server does not let through */
    MAIL_REFUSED, /* 5xx for this recipient or message, or a message with a fault: give up */
};

struct mail_result {
    enum mail_outcome outcome;
    int code;                    /* the server's last reply, 0: none */
    char error[MAIL_ERROR_SIZE]; /* for the log, "" when sent; printable ASCII, no password */
};

/* Sends one mail; blocks for at most total_timeout_ms. Thread-safe. TLS certificates are always
 * verified. Logs nothing: the caller does. For MAIL_LOG the mail's headers and text go to standard
 * output in one write. */
void mail_send(const struct mail_target *target, const struct mail_message *message,
               struct mail_result *ret_result);

const char *mail_outcome_text(enum mail_outcome outcome); /* "sent", "retry", "refused" */

#endif
