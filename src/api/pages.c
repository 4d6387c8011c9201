#include "api/pages.h"

#include <stdlib.h>

#include "api/assets.h"
#include "api/handlers.h"

/* RapiDoc styles by attributes and by style elements that it makes; its scripts are files. */
#define DOCS_POLICY                                                                                \
    STR("default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "             \
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")

struct file {
    struct str name;
    struct http_content *content;
};

struct pages {
    size_t n;
    struct file files[];
};

/* What a problem's `type` points to: every code, with what it means. */
static struct str errors_page(struct arena *arena)
{
    struct buf html;

    buf_init(&html, arena);
    buf_put_cstr(&html, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width\">\n"
                        "<title>Errors of the Servery API</title>\n"
                        "<link rel=\"stylesheet\" href=\"/assets/servery.css\">\n"
                        "<main>\n<h1>Errors of the API</h1>\n"
                        "<table>\n<tr><th>Status<th>Code<th>Meaning\n");
    for (int code = PROBLEM_NONE + 1; code < PROBLEM_COUNT; code++) {
        enum problem_code c = (enum problem_code)code;
        buf_printf(&html, "<tr id=\"%s\"><td>%d<td><code>%s</code><td>%s\n", problem_code_text(c),
                   problem_code_status(c), problem_code_text(c), problem_code_title(c));
    }
    buf_put_cstr(&html, "</table>\n</main>\n</html>\n");
    return buf_str(&html);
}

static void add(struct pages *pages, struct arena *arena, const char *name, const char *type,
                struct str bytes, int gzip_level)
{
    struct str hash = crypto_content_hash(arena, bytes);
    struct str etag = arena_printf(arena, "\"" STR_FMT "\"", STR_ARG(hash));

    pages->files[pages->n++] =
        (struct file){str_from(name), http_content_create(str_from(type), etag, bytes, gzip_level)};
}

struct pages *pages_create(void)
{
    struct pages *pages = mem_zalloc(sizeof *pages + (ASSETS_N + 1) * sizeof *pages->files);
    struct arena *arena = arena_create();

    for (size_t i = 0; i < ASSETS_N; i++)
        add(pages, arena, ASSETS[i].name, ASSETS[i].type,
            (struct str){(const char *)ASSETS[i].bytes, ASSETS[i].len},
            ASSETS[i].packed ? HTTP_GZIP_PACKED : HTTP_GZIP_STATIC);
    add(pages, arena, "errors.html", "text/html; charset=utf-8", errors_page(arena),
        HTTP_GZIP_STATIC);
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

struct http_content *pages_content(struct pages *pages, struct str name)
{
    for (size_t i = 0; i < pages->n; i++)
        if (str_eq(pages->files[i].name, name))
            return http_content_ref(pages->files[i].content);
    return NULL;
}

static enum err answer(struct call *c, struct str name)
{
    struct http_content *content = pages_content(c->api->pages, name);

    if (!content)
        return problem_set(&c->problem, PROBLEM_NOT_FOUND, NULL);
    c->http->response.status = 200;
    c->http->response.content = content;
    c->http->response.cache_control = content->gzip_level == HTTP_GZIP_PACKED
                                          ? STR("public, max-age=31536000, immutable")
                                          : STR("no-cache");
    return ERR_OK;
}

enum err page_get(struct call *c)
{
    const char *pattern = c->route->http.pattern;

    if (str_is(STR("/reset"), pattern))
        return answer(c, STR("reset.html"));
    if (str_is(STR("/pay/{id}"), pattern))
        return answer(c, STR("pay.html"));
    return answer(c, STR("index.html"));
}

enum err errors_page_get(struct call *c)
{
    return answer(c, STR("errors.html"));
}

enum err docs_page_get(struct call *c)
{
    c->http->response.security_policy = DOCS_POLICY;
    return answer(c, STR("docs.html"));
}

enum err asset_get(struct call *c)
{
    return answer(c, c->http->params[0]);
}

enum err openapi_get(struct call *c)
{
    return answer(c, STR("openapi.json"));
}
