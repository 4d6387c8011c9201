/* Content that many answers share, and what the client will take: codings and entity tags. */
#include "net/http_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { UNPACK_BYTES = 64 * 1024 };

static struct str copy(struct str s)
{
    if (!s.ptr)
        return STR_NONE;
    char *bytes = mem_alloc(s.len + 1);
    memcpy(bytes, s.ptr, s.len);
    bytes[s.len] = 0;
    return (struct str){bytes, s.len};
}

static void release(struct str s)
{
    free((void *)(uintptr_t)s.ptr);
}

static struct str compress_at(struct str plain, int level)
{
    z_stream z = {0};
    if (deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return STR_NONE;
    size_t bound = deflateBound(&z, (uLong)plain.len);
    unsigned char *out = mem_alloc(bound);
    z.next_in = (unsigned char *)(uintptr_t)plain.ptr;
    z.avail_in = (uInt)plain.len;
    z.next_out = out;
    z.avail_out = (uInt)bound;
    int rc = deflate(&z, Z_FINISH);
    size_t len = z.total_out;
    (void)deflateEnd(&z);
    if (rc != Z_STREAM_END || len >= plain.len) {
        free(out);
        return STR_NONE;
    }
    return (struct str){mem_realloc(out, len), len};
}

struct http_content *http_content_create(struct str type, struct str etag, struct str identity,
                                         int gzip_level)
{
    struct http_content *content = mem_zalloc(sizeof *content);
    content->refs = 1;
    content->type = copy(type);
    content->etag = copy(etag);
    content->identity = copy(identity);
    content->gzip_level = gzip_level;
    return content;
}

struct http_content *http_content_create_packed(struct str type, struct str etag, struct str gzip,
                                                struct str brotli)
{
    struct http_content *content = http_content_create(type, etag, STR_NONE, HTTP_GZIP_PACKED);
    content->identity = gzip;
    content->brotli = brotli;
    return content;
}

struct str http_content_gzip(struct http_content *content)
{
    struct str *made = __atomic_load_n(&content->gzip, __ATOMIC_ACQUIRE);
    if (made)
        return *made;
    if (content->identity.len <= HTTP_GZIP_MIN_BYTES || content->identity.len > UINT32_MAX ||
        __atomic_exchange_n(&content->gzip_begun, 1, __ATOMIC_RELAXED))
        return STR_NONE;
    made = mem_alloc(sizeof *made);
    *made = compress_at(content->identity, content->gzip_level);
    __atomic_store_n(&content->gzip, made, __ATOMIC_RELEASE);
    return *made;
}

static struct str unpack(struct str packed)
{
    struct buf out;
    z_stream z = {0};

    buf_init(&out, NULL);
    z.next_in = (unsigned char *)(uintptr_t)packed.ptr;
    z.avail_in = (uInt)packed.len;
    int rc = inflateInit2(&z, 15 + 16);
    while (rc == Z_OK) {
        z.next_out = (unsigned char *)buf_reserve(&out, UNPACK_BYTES);
        z.avail_out = UNPACK_BYTES;
        rc = inflate(&z, Z_NO_FLUSH);
        out.len += UNPACK_BYTES - z.avail_out;
    }
    assert(rc == Z_STREAM_END); /* it was packed when the program was built */
    (void)inflateEnd(&z);
    struct str plain = copy(buf_str(&out));
    buf_finish(&out);
    return plain;
}

static void release_made(struct str *made)
{
    if (made)
        release(*made);
    free(made);
}

/* Nobody can do without, so those who ask at once each unpack, and the first one's is kept. */
struct str http_content_plain(struct http_content *content)
{
    if (content->gzip_level != HTTP_GZIP_PACKED)
        return content->identity;
    struct str *known = __atomic_load_n(&content->plain, __ATOMIC_ACQUIRE);
    if (known)
        return *known;
    struct str *made = mem_alloc(sizeof *made);
    *made = unpack(content->identity);
    if (__atomic_compare_exchange_n(&content->plain, &known, made, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return *made;
    release_made(made);
    return *known;
}

struct http_content *http_content_ref(struct http_content *content)
{
    __atomic_add_fetch(&content->refs, 1, __ATOMIC_RELAXED);
    return content;
}

void http_content_unref(struct http_content *content)
{
    if (!content || __atomic_sub_fetch(&content->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    release(content->type);
    release(content->etag);
    if (content->gzip_level != HTTP_GZIP_PACKED)
        release(content->identity);
    release_made(content->gzip);
    release_made(content->plain);
    free(content);
}

/* Whether a weight, as in "0.5", is more than 0; what is no weight counts as none given. */
static bool is_weight_positive(struct str weight)
{
    for (size_t i = 0; i < weight.len; i++)
        if (weight.ptr[i] >= '1' && weight.ptr[i] <= '9')
            return true;
    return weight.len == 0;
}

/* Whether the list names it, and if so with a weight that is not 0. */
static bool is_listed(struct str list, struct str wanted, bool *ret_accepted)
{
    struct str item;
    while (str_split(&list, ',', &item)) {
        struct str params = item, name, param;
        (void)str_split(&params, ';', &name);
        if (!str_eq_nocase(str_trim(name), wanted))
            continue;
        *ret_accepted = true;
        while (str_split(&params, ';', &param)) {
            param = str_trim(param);
            if (param.len > 1 && (param.ptr[0] | 0x20) == 'q' && param.ptr[1] == '=')
                *ret_accepted = is_weight_positive(str_trim(str_slice(param, 2, param.len)));
        }
        return true;
    }
    return false;
}

bool http_accepts(const struct http_call *call, const char *coding)
{
    struct str list = http_header_get(call, "Accept-Encoding");
    bool accepted = false;
    if (!is_listed(list, str_from(coding), &accepted))
        (void)is_listed(list, STR("*"), &accepted);
    return accepted;
}

bool http_accepts_type(const struct http_call *call, const char *type)
{
    bool accepted = false;
    (void)is_listed(http_header_get(call, "Accept"), str_from(type), &accepted);
    return accepted;
}

static struct str opaque_tag(struct str etag)
{
    return str_starts(etag, STR("W/")) ? str_slice(etag, 2, etag.len) : etag;
}

/* Our tags hold no comma, so that the list may be split at commas. */
bool http_etag_listed(struct str list, struct str etag)
{
    struct str item;
    if (str_is(str_trim(list), "*"))
        return true;
    while (str_split(&list, ',', &item))
        if (str_eq(opaque_tag(str_trim(item)), opaque_tag(etag)))
            return true;
    return false;
}
