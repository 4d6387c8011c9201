#include "api/pages.h"

#include <assert.h>
#include <stdlib.h>

#include "api/assets.h"
#include "api/handlers.h"
#include "api/menu.h"

/* RapiDoc styles by attributes and by style elements that it makes; its scripts are files. */
#define DOCS_POLICY                                                                                \
    STR("default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "             \
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")

/* The ground and the accent of web/styles/tokens.css, for whoever puts the shop on a home
 * screen. */
#define MANIFEST_GROUND "#FBF8F3"
#define MANIFEST_THEME "#B4371F"

enum { MADE = 1 }; /* files that are not among the assets: the page of the problems' codes */

struct file {
    struct str name;   /* of an immutable one with a hash of its content */
    struct str source; /* the name that it had in web/ */
    bool immutable;
    struct http_content *content;
};

struct pages {
    size_t n;
    struct file files[];
};

void pages_begin(const struct pages *pages, struct buf *html, const char *title)
{
    buf_printf(html,
               "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<meta name=\"color-scheme\" content=\"light dark\">\n<title>%s</title>\n",
               title);
    buf_printf(html, "<link rel=\"icon\" href=\"/assets/" STR_FMT "\" type=\"image/svg+xml\">\n",
               STR_ARG(pages_name(pages, STR("icon.svg"))));
    buf_printf(html, "<link rel=\"stylesheet\" href=\"/assets/" STR_FMT "\">\n",
               STR_ARG(pages_name(pages, STR("main.css"))));
    buf_printf(html, "<main>\n<p><a href=\"/\">To the menu</a></p>\n<h1>%s</h1>\n", title);
}

void pages_end(struct buf *html)
{
    buf_put_cstr(html, "</main>\n</html>\n");
}

/* A code may be broken behind each of its words, but nowhere else. */
static void put_code(struct buf *html, const char *code)
{
    buf_put_cstr(html, "<code>");
    for (const char *at = code; *at; at++) {
        buf_put_char(html, *at);
        if (*at == '_')
            buf_put_cstr(html, "<wbr>");
    }
    buf_put_cstr(html, "</code>");
}

/* What a problem's `type` points to: every code, with what it means. */
static struct str errors_page(const struct pages *pages, struct arena *arena)
{
    struct buf html;

    buf_init(&html, arena);
    pages_begin(pages, &html, "Errors of the API");
    buf_put_cstr(&html, "<table>\n<tr><th>Status<th>Code<th>Meaning\n");
    for (int code = PROBLEM_NONE + 1; code < PROBLEM_COUNT; code++) {
        enum problem_code c = (enum problem_code)code;
        buf_printf(&html, "<tr id=\"%s\"><td>%d<td>", problem_code_text(c), problem_code_status(c));
        put_code(&html, problem_code_text(c));
        buf_printf(&html, "<td>%s\n", problem_code_title(c));
    }
    buf_put_cstr(&html, "</table>\n");
    pages_end(&html);
    return buf_str(&html);
}

static struct str etag_of(struct arena *arena, struct str bytes)
{
    struct str hash = crypto_content_hash(arena, bytes);
    return arena_printf(arena, "\"" STR_FMT "\"", STR_ARG(hash));
}

static struct http_content *asset_content(const struct asset *asset, struct arena *arena)
{
    struct str type = str_from(asset->type);

    if (asset->plain.ptr)
        return http_content_create(type, etag_of(arena, asset->plain), asset->plain,
                                   HTTP_GZIP_NEVER);
    return http_content_create_packed(type, etag_of(arena, asset->gzip), asset->gzip,
                                      asset->brotli);
}

struct pages *pages_create(void)
{
    struct pages *pages = mem_zalloc(sizeof *pages + (ASSETS_N + MADE) * sizeof *pages->files);
    struct arena *arena = arena_create();

    for (size_t i = 0; i < ASSETS_N; i++)
        pages->files[pages->n++] =
            (struct file){str_from(ASSETS[i].name), str_from(ASSETS[i].source), ASSETS[i].immutable,
                          asset_content(&ASSETS[i], arena)};
    struct str html = errors_page(pages, arena);
    pages->files[pages->n++] =
        (struct file){.name = STR("errors.html"),
                      .content = http_content_create(STR("text/html; charset=utf-8"),
                                                     etag_of(arena, html), html, HTTP_GZIP_STATIC)};
    arena_destroy(arena);
    return pages;
}

void pages_destroy(struct pages *pages)
{
    if (!pages)
        return;
    for (size_t i = 0; i < pages->n; i++)
        http_content_unref(pages->files[i].content);
    free(pages);
}

struct str pages_name(const struct pages *pages, struct str source)
{
    for (size_t i = 0; i < pages->n; i++)
        if (str_eq(pages->files[i].source, source))
            return pages->files[i].name;
    assert(!"it was there when the program was built");
    return STR_NONE;
}

static const struct file *find(const struct pages *pages, struct str name)
{
    for (size_t i = 0; i < pages->n; i++)
        if (str_eq(pages->files[i].name, name))
            return &pages->files[i];
    return NULL;
}

/* A reference to a page that every build has. */
static struct http_content *page(const struct pages *pages, struct str name)
{
    const struct file *file = find(pages, name);
    assert(file);
    return http_content_ref(file->content);
}

static enum err answer(struct call *c, struct http_content *content)
{
    c->http->response.status = 200;
    c->http->response.content = content;
    c->http->response.cache_control = STR("no-cache");
    return ERR_OK;
}

enum err page_get(struct call *c)
{
    return answer(c, page(c->api->pages, STR("index.html")));
}

/* Whoever asks for a file or the API shall not take a page for it. */
static bool is_for_pages(struct str path)
{
    static const char *const others[] = {"api", "assets", "images", "dev"};
    struct str rest = str_slice(path, 1, path.len), first = STR_NONE;

    (void)str_split(&rest, '/', &first);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (str_is(first, others[i]))
            return false;
    return true;
}

bool pages_answer_unknown(const struct pages *pages, struct http_call *http)
{
    if ((http->method != HTTP_GET && http->method != HTTP_HEAD) || !is_for_pages(http->path) ||
        !http_accepts_type(http, "text/html"))
        return false;
    http->response.status = 404;
    http->response.content = page(pages, STR("index.html"));
    return true;
}

enum err errors_page_get(struct call *c)
{
    return answer(c, page(c->api->pages, STR("errors.html")));
}

enum err docs_page_get(struct call *c)
{
    c->http->response.security_policy = DOCS_POLICY;
    return answer(c, page(c->api->pages, STR("docs.html")));
}

enum err openapi_get(struct call *c)
{
    return answer(c, page(c->api->pages, STR("openapi.json")));
}

static void put_icon(struct json_writer *w, struct call *c, const char *source, const char *type,
                     const char *sizes, const char *purpose)
{
    struct str name = pages_name(c->api->pages, str_from(source));

    json_begin_object(w, NULL);
    json_str(w, "src", arena_printf(c->arena, "/assets/" STR_FMT, STR_ARG(name)));
    json_cstr(w, "type", type);
    json_cstr(w, "sizes", sizes);
    json_cstr(w, "purpose", purpose);
    json_end_object(w);
}

enum err manifest_get(struct call *c)
{
    struct shop shop = menu_shop_copy(c->api->menu, c->arena);
    struct json_writer *w = call_json(c, 200);

    json_begin_object(w, NULL);
    json_cstr(w, "id", "/");
    json_str(w, "name", shop.name);
    json_str(w, "short_name", shop.name);
    json_cstr(w, "start_url", "/");
    json_cstr(w, "scope", "/");
    json_cstr(w, "display", "standalone");
    json_cstr(w, "background_color", MANIFEST_GROUND);
    json_cstr(w, "theme_color", MANIFEST_THEME);
    json_begin_array(w, "icons");
    put_icon(w, c, "icon.svg", "image/svg+xml", "any", "any");
    put_icon(w, c, "icon-192.png", "image/png", "192x192", "any");
    put_icon(w, c, "icon-512.png", "image/png", "512x512", "any");
    put_icon(w, c, "icon-maskable-512.png", "image/png", "512x512", "maskable");
    json_end_array(w);
    json_end_object(w);
    call_etag(c);
    c->http->response.content_type = STR("application/manifest+json");
    c->http->response.cache_control = STR("no-cache");
    return ERR_OK;
}

/* Some ask for it whatever the page says. */
enum err favicon_get(struct call *c)
{
    return answer(c, page(c->api->pages, pages_name(c->api->pages, STR("favicon.png"))));
}

/* Under a name that says what is in it nothing ever changes. */
enum err asset_get(struct call *c)
{
    const struct file *file = find(c->api->pages, c->http->params[0]);

    if (!file || !file->immutable)
        return problem_set(&c->problem, PROBLEM_NOT_FOUND, NULL);
    enum err err = answer(c, http_content_ref(file->content));
    c->http->response.cache_control = STR("public, max-age=31536000, immutable");
    return err;
}
