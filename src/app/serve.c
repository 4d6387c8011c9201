/* serve and demo: puts the parts together, waits for a signal, takes them apart again. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/client.h"
#include "api/health.h"
#include "api/hub.h"
#include "api/image_cache.h"
#include "api/menu.h"
#include "api/metrics.h"
#include "api/pages.h"
#include "api/passwords.h"
#include "api/rate_limit.h"
#include "api/routes.h"
#include "api/session_hints.h"
#include "app/app.h"
#include "app/demo.h"
#include "app/sandbox.h"
#include "app/service.h"
#include "base/clock.h"
#include "base/log.h"
#include "jobs/mailer.h"
#include "jobs/upkeep.h"
#include "net/global.h"
#include "net/mail.h"
#include "net/mailbox.h"
#include "net/provider.h"
#include "store/shop.h"

enum { STOP_TIMEOUT_MS = 10 * 1000, STOP_MAIL_MS = 2 * 1000 };

struct app {
    struct arena *arena;
    const struct config *config;
    const struct config_sources *sources;
    bool demo;
    int bound_fd;
    struct api api;
    struct payment_provider provider;
    struct mail_target mail_target;
    struct mail_address mail_from;
    struct mailer *mailer;
    struct upkeep *upkeep;
    struct http_server *server;
};

static enum err complain(const struct app *app, const char *setting, const char *what)
{
    return config_complain(app->sources, setting, what);
}

/* ---- Settings that must be understood before anything starts ---- */

/* Of a name (an international one as xn--…), an address or a port. */
static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr(".-_:[]", c));
}

/* The shop is at the root of its origin: cookies, links and the pages' own calls need it. */
static enum err set_public_url(struct app *app)
{
    struct api_settings *settings = &app->api.settings;
    struct str url = str_from(app->config->public_url);

    while (url.len > 0 && url.ptr[url.len - 1] == '/')
        url.len--;
    bool https = str_starts(url, STR("https://"));
    if (!https && !str_starts(url, STR("http://")))
        return complain(app, "public_url", "must begin with http:// or https://");
    struct str host = str_slice(url, https ? 8 : 7, url.len);
    if (host.len == 0)
        return complain(app, "public_url", "names no host");
    for (size_t i = 0; i < host.len; i++)
        if (!is_host_char(host.ptr[i]))
            return complain(app, "public_url",
                            "must be a host and nothing more, such as "
                            "https://shop.example.com or http://[::1]:8080");
    settings->public_url = arena_dup(app->arena, url);
    settings->origin = settings->public_url;
    settings->https = https;
    settings->is_local = client_name_is_loopback(host);
    return ERR_OK;
}

static enum err set_trusted_proxies(struct app *app)
{
    struct str rest = str_from(app->config->trusted_proxies), part;
    size_t max = 1, n = 0;

    if (rest.len == 0)
        return ERR_OK;
    for (size_t i = 0; i < rest.len; i++)
        max += rest.ptr[i] == ',';
    struct client_network *networks = arena_alloc(app->arena, max * sizeof *networks);
    while (str_split(&rest, ',', &part)) {
        if (!client_network_parse(part, &networks[n++]))
            return complain(app, "trusted_proxies",
                            "expected addresses or networks, such as 10.0.0.0/8");
    }
    app->api.settings.trusted_proxies = networks;
    app->api.settings.n_trusted_proxies = n;
    return ERR_OK;
}

static bool is_http_url(const char *text)
{
    struct str url = str_from(text);
    size_t host = str_starts(url, STR("https://")) ? 8 : str_starts(url, STR("http://")) ? 7 : 0;

    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] <= ' ' || url.ptr[i] > '~')
            return false;
    return host > 0 && host < url.len && url.ptr[host] != '/';
}

static enum err set_payment(struct app *app)
{
    const struct config *config = app->config;
    const char *url = *config->test_provider_url ? config->test_provider_url : NULL;

    if (url && !is_http_url(url))
        return complain(app, "test_provider_url", "must begin with http:// or https:// and a host");
    if (!provider_init(&app->provider, config->payment, url))
        return complain(app, "payment", "must be manual or test");
    if (strcmp(config->payment, "test") == 0 && !config->allow_test_payments)
        return complain(app, "payment",
                        "test lets anybody pay with nothing; if this is what you want, "
                        "set allow_test_payments = yes");
    app->api.provider = &app->provider;
    app->api.settings.payment_hold_ms = config->payment_hold_ms;
    return ERR_OK;
}

static enum err set_mail(struct app *app)
{
    const struct config *config = app->config;
    char error[MAIL_ERROR_SIZE];

    if (!mail_target_parse(config->mail, &app->mail_target, error))
        return complain(app, "mail", error);
    if (*config->mail_ca_file) {
        FILE *file = fopen(config->mail_ca_file, "re");
        bool readable = file && (fgetc(file) != EOF || !ferror(file));
        if (file)
            fclose(file);
        if (!readable)
            return complain(app, "mail_ca_file", "this file cannot be read");
        app->mail_target.ca_file = config->mail_ca_file;
    }
    const char *from = config->mail_from;
    if (!*from && app->mail_target.scheme == MAIL_LOG)
        from = "Servery <servery@localhost>";
    if (!mail_address_parse(app->arena, str_from(from), &app->mail_from))
        return complain(app, "mail_from",
                        "must be an address, such as \"The Shop <shop@example.com>\"");
    return ERR_OK;
}

/* "address:port" or "[address]:port"; gives the address. */
static enum err parse_listen(struct app *app, struct http_address *ret_address)
{
    struct str listen = str_from(app->config->listen);
    size_t colon = listen.len;
    int64_t port = -1;

    while (colon > 0 && listen.ptr[colon - 1] != ':')
        colon--;
    struct str host = str_slice(listen, 0, colon > 0 ? colon - 1 : 0);
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_slice(host, 1, host.len - 1);
    if (!client_address_parse(host, ret_address) ||
        !str_to_int64(str_slice(listen, colon, listen.len), &port) || port < 0 || port > 65535)
        return complain(app, "listen",
                        "must be an address and a port from 0 to 65535, such as "
                        "127.0.0.1:8080 or [::1]:8080");
    return ERR_OK;
}

static enum err set_up(struct app *app)
{
    struct api_settings *settings = &app->api.settings;
    struct http_address address;

    settings->demo = app->demo;
    settings->auth_rate_per_minute = (int)app->config->auth_rate_per_minute;
    settings->rate_per_minute = (int)app->config->rate_per_minute;
    settings->metrics_token = str_from(app->config->metrics_token);
    enum err err = parse_listen(app, &address);
    if (!err && app->demo && !client_is_loopback(&address))
        err =
            complain(app, "listen", "demo serves on loopback only: its admin's password is known");
    if (!err)
        err = set_public_url(app);
    if (!err)
        err = set_trusted_proxies(app);
    if (!err)
        err = set_payment(app);
    if (!err)
        err = set_mail(app);
    if (!err)
        err = config_check_secret_file(app->config, app->sources);
    return err;
}

/* ---- Starting ---- */

static enum err claim(struct app *app)
{
    enum err err = store_claim(app->api.store);

    if (err == ERR_PROBLEM)
        fprintf(stderr, "servery: another servery already serves %s\n", store_path(app->api.store));
    return err;
}

/* A server with another secret would find no session and could read no waiting mail. */
static enum err check_secret(struct app *app, bool made)
{
    const char *path = app->config->secret_file;
    struct shop_secret secret = {.print = app_secret_print(app->arena, &app->api.keys)};

    enum err err = store_write(app->api.store, app->arena, shop_secret, &secret);
    if (err || secret.matches)
        return err;
    if (made)
        unlink(path); /* or the next start would find it, and no longer say that none was there */
    fprintf(stderr,
            "servery: %s %s the secret that this shop's data were made with.\n"
            "If other servers serve this shop, copy their key file. Else bring the former file\n"
            "back, or set secret_file to where it is. If it is lost for good, `servery admin\n"
            "accept-secret` (while no server runs) takes %s: everybody has to log in again.\n",
            path, made ? "was not there, and a new one is not" : "is not",
            made ? "a new one" : "this one");
    return ERR_PROBLEM;
}

static enum err open_shop(struct app *app)
{
    const struct config *config = app->config;
    struct store_options options = app_store_options(config);
    bool made_key;
    int applied = 0;

    options.readers = 0;
    if (store_is_shared(config->database))
        options.listen = *config->database_listen ? config->database_listen : config->database;

    enum err err = crypto_keys_load(app->config->secret_file, &app->api.keys, &made_key);
    if (!err)
        err = store_open(&options, &app->api.store);
    if (!err && !store_is_shared(config->database))
        err = claim(app);
    if (!err)
        err = store_migrate(app->api.store, &applied);
    if (!err)
        err = check_secret(app, made_key);
    if (!err && app->demo)
        err = demo_fill(app->api.store, app->arena);
    if (!err && applied > 0)
        log_line(LOG_INFO, "migrated", LOG_INT("migrations", applied));
    return err;
}

static enum err start_api(struct app *app)
{
    struct api *api = &app->api;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    api->hub = hub_create(api->store);
    api->health = health_create(api->store, HEALTH_WAIT_MS);
    api->pages = pages_create();
    api->images = image_cache_create(IMAGE_CACHE_MAX_BYTES);
    api->metrics = metrics_create((int)app->config->io_threads);
    api->session_hints = session_hints_create();
    if (app->demo)
        api->mailbox = mailbox_create();
    if (api->settings.auth_rate_per_minute > 0)
        api->auth_limit = rate_limit_create("auth", api->settings.auth_rate_per_minute);
    if (api->settings.rate_per_minute > 0)
        api->all_limit = rate_limit_create("all", api->settings.rate_per_minute);
    api->passwords = passwords_create(cores > 1 ? (int)cores : 1);
    return menu_create(api->store, &api->menu);
}

static void put_mail_metrics(void *ctx, struct buf *out)
{
    struct mailer_stats stats;

    mailer_stats(ctx, &stats);
    metric_put(out, "servery_mails_sent_total", METRIC_COUNTER, "Mails sent.", stats.sent);
    metric_put(out, "servery_mails_retried_total", METRIC_COUNTER,
               "Attempts that failed and are made again.", stats.retried);
    metric_put(out, "servery_mails_failed_total", METRIC_COUNTER,
               "Mails given up: refused, or tried for too long.", stats.failed);
    metric_put(out, "servery_mails_expired_total", METRIC_COUNTER,
               "Mails not sent because it was too late for them.", stats.expired);
}

static void start_jobs(struct app *app)
{
    struct mailer_options mailer = {.store = app->api.store,
                                    .keys = &app->api.keys,
                                    .target = app->mail_target,
                                    .from = app->mail_from,
                                    .mailbox = app->api.mailbox};
    struct upkeep_options upkeep = {.pay = {.store = app->api.store,
                                            .provider = &app->provider,
                                            .keys = &app->api.keys,
                                            .public_url = app->api.settings.public_url}};

    app->mailer = mailer_create(&mailer);
    app->api.mail_waits = mailer_wake;
    app->api.mail_ctx = app->mailer;
    app->api.job_metrics = put_mail_metrics;
    app->api.job_metrics_ctx = app->mailer;
    store_listen(app->api.store, api_store_listener, &app->api);
    app->upkeep = upkeep_create(&upkeep);
}

static enum err start_server(struct app *app)
{
    int fd = app->bound_fd;
    struct http_options options = {
        .listen = app->config->listen,
        .bound_fd = &fd,
        .io_threads = (int)app->config->io_threads,
        .workers = (int)app->config->workers,
        .max_connections = (int)app->config->max_connections,
        .routes = &ROUTES[0].http,
        .n_routes = ROUTES_N,
        .route_size = sizeof *ROUTES,
        .https = app->api.settings.https,
        .ctx = &app->api,
        .handle = api_handle,
        .refuse = api_refuse,
        .measure = metrics_measure,
    };
    app->bound_fd = -1;
    return http_server_create(&options, &app->server);
}

static bool url_has_port_zero(struct str url)
{
    return url.len > 2 && url.ptr[url.len - 2] == ':' && url.ptr[url.len - 1] == '0';
}

/* On port 0 the own URL is known only now, before anybody else can know it. */
static void set_port(struct app *app, int port)
{
    struct api_settings *settings = &app->api.settings;
    struct str url = settings->public_url;

    if (!url_has_port_zero(url))
        return;
    settings->public_url = arena_printf(app->arena, "%.*s%d", (int)url.len - 1, url.ptr, port);
    settings->origin = settings->public_url;
}

static void announce(struct app *app)
{
    int port = http_server_port(app->server);

    set_port(app, port);

    log_line(LOG_INFO, "listening", LOG_CSTR("listen", app->config->listen), LOG_INT("port", port),
             LOG_STR("public_url", app->api.settings.public_url),
             LOG_CSTR("version", SERVERY_VERSION));
    service_notify("READY=1");
    if (app->demo) {
        printf("\n  The shop is open: %s\n"
               "  Admin: " DEMO_ADMIN_EMAIL " / " DEMO_ADMIN_PASSWORD "\n"
               "  The mails it sends: %s/dev/mail\n"
               "  Ctrl-C closes it.\n\n",
               app->api.settings.public_url.ptr, app->api.settings.public_url.ptr);
        fflush(stdout);
    }
}

/* ---- Stopping ---- */

/* Serves on for a while although it is to stop, but tells proxies to turn to other servers. */
static void drain(struct app *app)
{
    int64_t ms = app->config->drain_ms;
    const struct timespec while_draining = {ms / SECOND_MS, ms % SECOND_MS * 1000000};

    app->api.leaving = true;
    http_server_leave(app->server);
    (void)nanosleep(&while_draining, NULL);
}

/* True if a thread was left behind that still uses what the process would clean up at its end. */
static bool take_down(struct app *app)
{
    struct api *api = &app->api;

    if (app->server)
        http_server_stop(app->server, STOP_TIMEOUT_MS);
    hub_stop(api->hub);
    health_stop(api->health);
    menu_stop(api->menu);
    upkeep_destroy(app->upkeep);
    bool thread_left = mailer_stop(app->mailer, STOP_MAIL_MS);
    store_close(api->store);
    mailer_destroy(app->mailer); /* whom the store's listener woke until now */
    http_server_destroy(app->server);
    hub_destroy(api->hub);
    health_destroy(api->health);
    menu_destroy(api->menu);
    passwords_destroy(api->passwords);
    rate_limit_destroy(api->auth_limit);
    rate_limit_destroy(api->all_limit);
    pages_destroy(api->pages);
    image_cache_destroy(api->images);
    metrics_destroy(api->metrics);
    session_hints_destroy(api->session_hints);
    mailbox_destroy(api->mailbox);
    if (app->bound_fd >= 0)
        close(app->bound_fd);
    if (!thread_left)
        net_global_cleanup();
    return thread_left;
}

static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

int app_run(struct arena *arena, struct app_shop *shop)
{
    struct app app = {.arena = arena,
                      .config = &shop->config,
                      .sources = shop->sources,
                      .demo = shop->demo,
                      .bound_fd = -1};
    sigset_t signals;
    int signal_number = 0;

    if (set_up(&app))
        return 2;
    if (app.config->sandbox)
        sandbox_enter();
    block_signals(&signals);
    enum err err = net_global_init();
    /* Before the data are migrated: what cannot serve them leaves them to the former version. */
    if (!err)
        err = http_bind(app.config->listen, &app.bound_fd);
    if (!err)
        err = open_shop(&app);
    if (!err)
        err = start_api(&app);
    if (!err) {
        start_jobs(&app);
        err = start_server(&app);
    }
    if (!err) {
        announce(&app);
        sigwait(&signals, &signal_number);
        log_line(LOG_INFO, "stopping", LOG_INT("signal", signal_number));
        service_notify("STOPPING=1");
        /* A second signal ends the process at once. */
        signal(signal_number, SIG_DFL);
        pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
        drain(&app);
    }
    shop->thread_left = take_down(&app);
    if (!err)
        log_line(LOG_INFO, "stopped", LOG_INT("signal", signal_number));
    return err ? 1 : 0;
}

/* What a thread that was left behind may still use is not freed: the process ends at once. */
static int leave(const struct app_shop *shop, int status)
{
    if (shop->thread_left) {
        fflush(NULL);
        _exit(status);
    }
    return status;
}

int app_serve(const struct command_line *line)
{
    struct app_shop shop = {.demo = false};

    if (app_load(line, false, &shop.config, &shop.sources))
        return 2;
    return leave(&shop, app_run(line->arena, &shop));
}

/* ---- demo ---- */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

int app_demo(const struct command_line *line)
{
    struct app_shop shop = {.demo = true};
    char *folder = NULL;

    if (app_load(line, true, &shop.config, &shop.sources))
        return 2;
    if (!*shop.config.database) {
        const char *tmp = getenv("TMPDIR");
        struct str pattern =
            arena_printf(line->arena, "%s/servery-demo-XXXXXX", tmp && *tmp ? tmp : "/tmp");
        folder = mem_dup_cstr(pattern.ptr);
        if (!mkdtemp(folder)) {
            fprintf(stderr, "servery: cannot create %s: %s\n", folder, strerror(errno));
            free(folder);
            return 1;
        }
        shop.config.database = arena_printf(line->arena, "sqlite:%s/servery.db", folder).ptr;
        shop.config.secret_file = arena_printf(line->arena, "%s/servery.key", folder).ptr;
    }
    int status = app_run(line->arena, &shop);
    if (folder)
        nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
    return leave(&shop, status);
}
