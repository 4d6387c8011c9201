/* Pictures of foods: taken from admins, judged by their bytes, and shown to everybody at addresses
 * whose content never changes. */
#include "api/handlers.h"
#include "api/image_cache.h"
#include "api/menu.h"
#include "base/crypto.h"
#include "domain/limits.h"
#include "store/image.h"

_Static_assert((int)IMAGE_MAX_BYTES <= (int)HTTP_BODY_MAX_BYTES,
               "the largest picture gets through");

/* ---- Editing ---- */

static enum err refuse_type(struct call *c, const char *detail)
{
    return problem_set(&c->problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE, detail);
}

/* What is sent has to be what it says it is, whatever else it may look like to others. */
static enum err decode_image(struct call *c, struct image *ret_image)
{
    struct str type;
    enum image_type announced;

    enum err err = call_body_type(c, &type);
    if (err)
        return err;
    if (!image_type_parse(type, &announced))
        return refuse_type(c, "The body must be image/jpeg, image/png or image/webp.");
    if (!image_read(c->http->body, ret_image))
        return problem_add(&c->problem, NULL, PROBLEM_IMAGE_INVALID,
                           "The body must be a whole JPEG, PNG or WebP file.");
    if (ret_image->type != announced)
        return refuse_type(c, "The body is a picture of another type than its Content-Type.");
    if (!image_fits(ret_image))
        return problem_add(&c->problem, NULL, PROBLEM_IMAGE_TOO_LARGE,
                           "It may have 4096 pixels a side.");
    return ERR_OK;
}

static void encode_food(struct call *c, void *arg)
{
    const struct food_edit *edit = arg;
    food_encode(call_json(c, 200), NULL, &edit->food);
}

static void encode_put(struct call *c, void *arg)
{
    struct image_put *put = arg;
    encode_food(c, &put->edit);
}

enum err food_image_put(struct call *c)
{
    struct image_put put = {
        .edit = {.food_id = c->http->ids[0], .now_ms = c->now_ms, .problem = &c->problem},
        .bytes = c->http->body};

    enum err err = decode_image(c, &put.image);
    if (err)
        return err;
    put.hash = crypto_content_name(c->arena, put.bytes);
    return call_write(c, image_put, encode_put, &put);
}

enum err food_image_delete(struct call *c)
{
    struct food_edit edit = {
        .food_id = c->http->ids[0], .now_ms = c->now_ms, .problem = &c->problem};
    return call_write(c, image_remove, encode_food, &edit);
}

/* ---- Showing ---- */

static bool is_hash(struct str name)
{
    if (name.len != IMAGE_HASH_CHARS)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char d = name.ptr[i];
        if (!(d >= '0' && d <= '9') && !(d >= 'a' && d <= 'f'))
            return false;
    }
    return true;
}

static enum err load(struct call *c, struct str hash, struct http_content **ret_content)
{
    struct image_find find = {.hash = hash};

    enum err err = call_read(c, image_find, &find);
    if (err)
        return err;
    if (!find.found)
        return problem_set(&c->problem, PROBLEM_NOT_FOUND, NULL);
    struct str etag = arena_printf(c->arena, "\"" STR_FMT "\"", STR_ARG(hash));
    *ret_content = image_cache_keep(
        c->api->images, hash, http_content_create(find.type, etag, find.bytes, HTTP_GZIP_NEVER));
    return ERR_OK;
}

enum err image_get(struct call *c)
{
    struct str hash = c->http->params[0];

    if (!is_hash(hash))
        return problem_set(&c->problem, PROBLEM_NOT_FOUND, NULL);
    struct http_content *content = image_cache_find(c->api->images, hash);
    if (!content) {
        enum err err = load(c, hash, &content);
        if (err)
            return err;
    }
    c->http->response.status = 200;
    c->http->response.content = content;
    c->http->response.cache_control = STR("public, max-age=31536000, immutable");
    http_response_header(c->http, "Content-Disposition", STR("inline"));
    /* Beside the policy of every answer; of two the browser keeps both. */
    http_response_header(c->http, "Content-Security-Policy",
                         STR("default-src 'none'; frame-ancestors 'none'; sandbox"));
    return ERR_OK;
}
