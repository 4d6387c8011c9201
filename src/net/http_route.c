/* From a request's raw path to its route, by a tree of path segments built once: a match costs one
 * step a segment, however many routes there are. Nothing is decoded before: %2f and %00 are letters
 * like others here, so that no decoded path can reach a route its text does not name. */
#include "net/http_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { METHODS = HTTP_OTHER };

enum segment_kind { SEGMENT_LITERAL, SEGMENT_ID, SEGMENT_NAME };

struct node {
    struct str text;          /* the literal */
    struct node *children[3]; /* of each kind, a list */
    struct node *sibling;
    const struct http_route *routes[METHODS];
    struct str allow; /* "GET, HEAD, POST", built once; STR_NONE: no route ends here */
};

struct http_routes {
    struct node root;
};

static enum segment_kind kind_of(struct str segment)
{
    if (str_is(segment, "{id}"))
        return SEGMENT_ID;
    return str_is(segment, "{name}") ? SEGMENT_NAME : SEGMENT_LITERAL;
}

static struct node *find_literal(const struct node *node, struct str segment)
{
    struct node *child = node->children[SEGMENT_LITERAL];
    while (child && !(child->text.len == segment.len &&
                      memcmp(child->text.ptr, segment.ptr, segment.len) == 0))
        child = child->sibling;
    return child;
}

static struct node *child_for(struct node *node, struct str segment)
{
    enum segment_kind kind = kind_of(segment);
    struct node *child =
        kind == SEGMENT_LITERAL ? find_literal(node, segment) : node->children[kind];
    if (child)
        return child;
    child = mem_zalloc(sizeof *child);
    child->text = segment;
    child->sibling = node->children[kind];
    node->children[kind] = child;
    return child;
}

/* The pattern without its leading slash; patterns are constants of the program. */
static struct str rest_of(const char *pattern)
{
    assert(pattern[0] == '/');
    return str_from(pattern + 1);
}

static void build_allow(struct node *node)
{
    static const char *const names[METHODS] = {[HTTP_GET] = "GET, HEAD",
                                               [HTTP_HEAD] = NULL,
                                               [HTTP_POST] = "POST",
                                               [HTTP_PUT] = "PUT",
                                               [HTTP_DELETE] = "DELETE"};
    struct buf allow;
    buf_init(&allow, NULL);
    for (int method = 0; method < METHODS; method++) {
        if (!node->routes[method] || !names[method])
            continue;
        if (allow.len > 0)
            buf_put_cstr(&allow, ", ");
        buf_put_cstr(&allow, names[method]);
    }
    if (allow.len > 0)
        node->allow = buf_str(&allow);
    for (int kind = 0; kind < 3; kind++)
        for (struct node *child = node->children[kind]; child; child = child->sibling)
            build_allow(child);
}

struct http_routes *http_routes_create(const struct http_route *first, size_t n, size_t size)
{
    struct http_routes *routes = mem_zalloc(sizeof *routes);
    for (size_t i = 0; i < n; i++) {
        const struct http_route *route =
            (const struct http_route *)(const void *)((const char *)first + i * size);
        struct str rest = rest_of(route->pattern), segment;
        struct node *node = &routes->root;
        while (str_split(&rest, '/', &segment))
            node = child_for(node, segment);
        assert(route->method < HTTP_OTHER && !node->routes[route->method]);
        node->routes[route->method] = route;
    }
    build_allow(&routes->root);
    return routes;
}

static void free_children(struct node *node)
{
    for (int kind = 0; kind < 3; kind++) {
        struct node *next;
        for (struct node *child = node->children[kind]; child; child = next) {
            next = child->sibling;
            free_children(child);
            free((void *)(uintptr_t)child->allow.ptr);
            free(child);
        }
    }
}

void http_routes_destroy(struct http_routes *routes)
{
    if (!routes)
        return;
    free_children(&routes->root);
    free(routes);
}

static bool is_id(struct str segment, int64_t *ret_id)
{
    int64_t id = 0;
    if (segment.len == 0 || segment.len > 16 || segment.ptr[0] == '0')
        return false;
    for (size_t i = 0; i < segment.len; i++) {
        if (segment.ptr[i] < '0' || segment.ptr[i] > '9')
            return false;
        id = id * 10 + (segment.ptr[i] - '0');
    }
    if (id >= (INT64_C(1) << 53))
        return false;
    *ret_id = id;
    return true;
}

static bool is_name(struct str segment)
{
    return segment.len > 0 && !str_is(segment, ".") && !str_is(segment, "..");
}

/* Literals first; where they lead nowhere, an {id}, then a {name}. */
static const struct node *walk(const struct node *node, struct str rest, int depth,
                               struct http_call *call)
{
    struct str segment;
    if (!str_split(&rest, '/', &segment))
        return node->allow.ptr ? node : NULL;

    const struct node *child = find_literal(node, segment), *found;
    if (child && (found = walk(child, rest, depth, call)))
        return found;
    int64_t id = 0;
    child = node->children[SEGMENT_ID];
    if (child && depth < HTTP_PARAMS_MAX && is_id(segment, &id) &&
        (found = walk(child, rest, depth + 1, call))) {
        call->params[depth] = segment;
        call->ids[depth] = id;
        return found;
    }
    child = node->children[SEGMENT_NAME];
    if (child && depth < HTTP_PARAMS_MAX && is_name(segment) &&
        (found = walk(child, rest, depth + 1, call))) {
        call->params[depth] = segment;
        return found;
    }
    return NULL;
}

int http_routes_match(const struct http_routes *routes, struct http_call *call,
                      struct str *ret_allow)
{
    if (call->path.len == 0 || call->path.ptr[0] != '/')
        return 404;
    struct str rest = str_slice(call->path, 1, call->path.len);
    const struct node *node = walk(&routes->root, rest, 0, call);
    if (!node)
        return 404;
    enum http_method method = call->method == HTTP_HEAD ? HTTP_GET : call->method;
    if (method == HTTP_OTHER || !node->routes[method]) {
        *ret_allow = node->allow;
        return 405;
    }
    call->route = node->routes[method];
    return 0;
}
