/* What the API works with: everything that lives as long as the server. Made by app/serve.c. */
#ifndef SERVERY_API_API_H
#define SERVERY_API_API_H

#include "base/crypto.h"
#include "net/http.h"
#include "store/store.h"

struct health;
struct hub;
struct image_cache;
struct menu;
struct passwords;
struct session_hints;
struct rate_limit;
struct payment_provider;
struct mailbox;
struct metrics;
struct pages;

struct api_settings {
    struct str public_url; /* without a trailing slash */
    struct str origin;     /* its scheme://host[:port] */
    bool https;
    bool is_local; /* its host names this machine, so there is no proxy before it */
    bool demo;
    int64_t payment_hold_ms;
    int auth_rate_per_minute, rate_per_minute; /* 0: off */
    struct str metrics_token; /* empty: /metrics is for this machine only, and if is_local */
    size_t n_trusted_proxies;
    const struct client_network *trusted_proxies;
};

struct api {
    struct api_settings settings;
    struct store *store;
    struct crypto_keys keys;
    struct passwords *passwords;               /* the hash threads */
    struct hub *hub;                           /* open event streams */
    struct health *health;                     /* whether the database answers */
    struct session_hints *session_hints;       /* sessions found lately */
    struct menu *menu;                         /* the menu and the shop, in memory */
    struct image_cache *images;                /* pictures shown lately, in memory */
    struct rate_limit *auth_limit, *all_limit; /* NULL: off */
    const struct payment_provider *provider;
    _Atomic int provider_calls;    /* of handlers, under way */
    _Atomic bool leaving;          /* soon to stop: not ready any more */
    _Atomic int exports;           /* CSV files that are being read */
    struct mailbox *mailbox;       /* demo: a copy of the mails sent; else NULL */
    struct pages *pages;           /* the web pages and the API's description */
    void (*mail_waits)(void *ctx); /* wakes the mail job; any thread */
    void *mail_ctx;
    struct metrics *metrics;
    void (*job_metrics)(void *ctx, struct buf *out); /* what the jobs count, for /metrics */
    void *job_metrics_ctx;
};

/* The store's listener: refreshes the menu, feeds the streams, wakes the mail job. ctx is the
 * api. */
void api_store_listener(void *ctx, const struct store_event *events, size_t n);

/* http_options.handle and .refuse; ctx is the api. */
void api_handle(struct http_call *http);
void api_refuse(struct http_call *http, int status, const char *detail, struct str allow);

#endif
