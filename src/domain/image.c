/* The three formats are walked by the lengths of their parts, each checked against what is there,
 * so that a size is taken only from where a decoder takes it: not from the thumbnail in a photo's
 * EXIF data, not from a header that the frames contradict. */
#include "domain/image.h"

#include <string.h>

#include "domain/limits.h"

/* A position in the bytes; every read moves it and says no at the end. */
struct walk {
    const unsigned char *at;
    size_t left;
};

static bool skip(struct walk *w, size_t n)
{
    if (n > w->left)
        return false;
    w->at += n;
    w->left -= n;
    return true;
}

static bool take(struct walk *w, size_t n, struct walk *ret_part)
{
    *ret_part = (struct walk){w->at, n};
    return skip(w, n);
}

static uint32_t big16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t big32(const unsigned char *p)
{
    return big16(p) << 16 | big16(p + 2);
}

static uint32_t little16(const unsigned char *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t little24(const unsigned char *p)
{
    return (uint32_t)p[2] << 16 | little16(p);
}

static uint32_t little32(const unsigned char *p)
{
    return (uint32_t)p[3] << 24 | little24(p);
}

static bool begins(const struct walk *w, const char *bytes, size_t n)
{
    return w->left >= n && memcmp(w->at, bytes, n) == 0;
}

static bool set_size(struct image *image, int64_t width, int64_t height)
{
    image->width = width;
    image->height = height;
    return width > 0 && height > 0;
}

/* ---- PNG: a signature, then chunks of length, type, data and checksum from IHDR to IEND ---- */

enum { PNG_IHDR_BYTES = 13, PNG_CRC_BYTES = 4 };

static bool png_header(const unsigned char *p, struct image *ret_image)
{
    /* Which bit depths go with each colour type, as a set of bits. */
    static const uint32_t depths[] = {
        [0] = 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8 | 1u << 16,
        [2] = 1u << 8 | 1u << 16,
        [3] = 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8,
        [4] = 1u << 8 | 1u << 16,
        [6] = 1u << 8 | 1u << 16,
    };
    unsigned depth = p[8], colour = p[9];

    if (colour >= sizeof depths / sizeof *depths || depth > 16 || !(depths[colour] >> depth & 1))
        return false;
    if (p[10] != 0 || p[11] != 0 || p[12] > 1)
        return false;
    return set_size(ret_image, big32(p), big32(p + 4));
}

static bool png_read(struct walk w, struct image *ret_image)
{
    bool is_first = true, has_data = false;

    while (w.left >= 8) {
        struct walk head, data;
        if (!take(&w, 8, &head) || !take(&w, big32(head.at), &data) || !skip(&w, PNG_CRC_BYTES))
            return false;
        bool is_header = memcmp(head.at + 4, "IHDR", 4) == 0;
        if (is_header != is_first)
            return false;
        if (is_header && (data.left != PNG_IHDR_BYTES || !png_header(data.at, ret_image)))
            return false;
        is_first = false;
        if (memcmp(head.at + 4, "IDAT", 4) == 0)
            has_data = true;
        if (memcmp(head.at + 4, "IEND", 4) == 0)
            return has_data;
    }
    return false;
}

/* ---- JPEG: markers, most with a segment behind them, from SOI to EOI ---- */

enum {
    JPEG_TEM = 0x01,
    JPEG_SOF0 = 0xc0,
    JPEG_DHT = 0xc4,
    JPEG_JPG = 0xc8,
    JPEG_DAC = 0xcc,
    JPEG_SOF15 = 0xcf,
    JPEG_RST0 = 0xd0,
    JPEG_RST7 = 0xd7,
    JPEG_SOI = 0xd8,
    JPEG_EOI = 0xd9,
    JPEG_SOS = 0xda,
};

static bool jpeg_is_frame(unsigned marker)
{
    return marker >= JPEG_SOF0 && marker <= JPEG_SOF15 && marker != JPEG_DHT &&
           marker != JPEG_JPG && marker != JPEG_DAC;
}

static bool jpeg_is_bare(unsigned marker)
{
    return marker == JPEG_TEM || (marker >= JPEG_RST0 && marker <= JPEG_RST7);
}

static bool jpeg_frame(struct walk segment, struct image *ret_image)
{
    if (segment.left < 6)
        return false;
    const unsigned char *p = segment.at;
    unsigned precision = p[0], components = p[5];
    if (precision < 2 || precision > 16 || components < 1 || components > 4 ||
        segment.left != 6 + 3 * components)
        return false;
    return set_size(ret_image, big16(p + 3), big16(p + 1));
}

/* The coded data of a scan: up to the next marker that is neither stuffing nor a restart. */
static bool jpeg_skip_scan(struct walk *w)
{
    while (w->left >= 2) {
        const unsigned char *found = memchr(w->at, 0xff, w->left - 1);
        if (!found)
            return false;
        (void)skip(w, (size_t)(found - w->at));
        if (w->at[1] == 0xff)
            (void)skip(w, 1);
        else if (w->at[1] == 0 || (w->at[1] >= JPEG_RST0 && w->at[1] <= JPEG_RST7))
            (void)skip(w, 2);
        else
            return true;
    }
    return false;
}

static bool jpeg_marker(struct walk *w, unsigned *ret_marker)
{
    if (w->left < 2 || w->at[0] != 0xff)
        return false;
    while (w->left > 0 && w->at[0] == 0xff) /* any number of fill bytes */
        (void)skip(w, 1);
    if (w->left == 0)
        return false;
    *ret_marker = w->at[0];
    return skip(w, 1);
}

static bool jpeg_read(struct walk w, struct image *ret_image)
{
    bool has_frame = false, has_scan = false;
    unsigned marker;

    while (jpeg_marker(&w, &marker)) {
        struct walk segment;
        if (marker == JPEG_EOI)
            return has_scan;
        if (jpeg_is_bare(marker))
            continue;
        if (marker == 0 || marker == JPEG_SOI || w.left < 2 || big16(w.at) < 2 ||
            !take(&w, big16(w.at), &segment))
            return false;
        (void)skip(&segment, 2);
        if (jpeg_is_frame(marker)) {
            /* A size that is said twice is not to be believed. */
            if (has_frame || !jpeg_frame(segment, ret_image))
                return false;
            has_frame = true;
        } else if (marker == JPEG_SOS) {
            if (!has_frame || !jpeg_skip_scan(&w))
                return false;
            has_scan = true;
        }
    }
    return false;
}

/* ---- WebP: one RIFF chunk that holds the others ---- */

enum {
    WEBP_PLAIN_HEAD_BYTES = 10,
    WEBP_LOSSLESS_HEAD_BYTES = 5,
    WEBP_EXTENDED_BYTES = 10,
    WEBP_FRAME_HEAD_BYTES = 16,
    WEBP_ANIMATION = 0x02, /* of the extended header's flags */
    WEBP_SIDE_MASK = 0x3fff,
};

/* The next chunk: four letters, length, data, and a byte that makes it even. */
static bool webp_chunk(struct walk *w, struct walk *ret_name, struct walk *ret_data)
{
    struct walk length;
    return take(w, 4, ret_name) && take(w, 4, &length) && take(w, little32(length.at), ret_data) &&
           skip(w, ret_data->left & 1);
}

/* The size in the first bytes of a picture's coded data. */
static bool webp_bitstream(struct walk name, struct walk data, struct image *ret_image)
{
    const unsigned char *p = data.at;

    if (begins(&name, "VP8 ", 4))
        return data.left >= WEBP_PLAIN_HEAD_BYTES && (p[0] & 1) == 0 &&
               memcmp(p + 3, "\x9d\x01\x2a", 3) == 0 &&
               set_size(ret_image, little16(p + 6) & WEBP_SIDE_MASK,
                        little16(p + 8) & WEBP_SIDE_MASK);
    if (!begins(&name, "VP8L", 4) || data.left < WEBP_LOSSLESS_HEAD_BYTES || p[0] != 0x2f)
        return false;
    uint32_t bits = little32(p + 1);
    return bits >> 29 == 0 &&
           set_size(ret_image, (bits & WEBP_SIDE_MASK) + 1, (bits >> 14 & WEBP_SIDE_MASK) + 1);
}

static bool webp_is_bitstream(struct walk name)
{
    return begins(&name, "VP8 ", 4) || begins(&name, "VP8L", 4);
}

/* The chunks of a frame: its coded data must be of the size that was announced. */
static bool webp_has_picture(struct walk w, int64_t width, int64_t height)
{
    struct walk name, data;
    struct image image;
    bool has = false;

    while (w.left > 0) {
        if (!webp_chunk(&w, &name, &data))
            return false;
        if (!webp_is_bitstream(name))
            continue;
        if (has || !webp_bitstream(name, data, &image) || image.width != width ||
            image.height != height)
            return false;
        has = true;
    }
    return has;
}

static bool webp_has_frames(struct walk w, const struct image *canvas)
{
    struct walk name, data;
    bool has = false;

    while (w.left > 0) {
        if (!webp_chunk(&w, &name, &data))
            return false;
        if (webp_is_bitstream(name))
            return false;
        if (!begins(&name, "ANMF", 4))
            continue;
        const unsigned char *p = data.at;
        if (!skip(&data, WEBP_FRAME_HEAD_BYTES))
            return false;
        int64_t x = 2 * (int64_t)little24(p), y = 2 * (int64_t)little24(p + 3);
        int64_t width = (int64_t)little24(p + 6) + 1, height = (int64_t)little24(p + 9) + 1;
        if (x + width > canvas->width || y + height > canvas->height ||
            !webp_has_picture(data, width, height))
            return false;
        has = true;
    }
    return has;
}

static bool webp_read(struct walk w, struct image *ret_image)
{
    struct walk name, data;

    struct walk all = w;
    if (!webp_chunk(&w, &name, &data))
        return false;
    if (webp_is_bitstream(name))
        return webp_bitstream(name, data, ret_image) &&
               webp_has_picture(all, ret_image->width, ret_image->height);
    if (!begins(&name, "VP8X", 4) || data.left != WEBP_EXTENDED_BYTES ||
        !set_size(ret_image, (int64_t)little24(data.at + 4) + 1,
                  (int64_t)little24(data.at + 7) + 1))
        return false;
    return data.at[0] & WEBP_ANIMATION ? webp_has_frames(w, ret_image)
                                       : webp_has_picture(w, ret_image->width, ret_image->height);
}

/* ---- All three ---- */

bool image_read(struct str bytes, struct image *ret_image)
{
    struct walk w = {(const unsigned char *)bytes.ptr, bytes.len}, chunks;
    struct image image = {0};
    bool is_whole = false;

    if (begins(&w, "\x89PNG\r\n\x1a\n", 8) && skip(&w, 8)) {
        image.type = IMAGE_PNG;
        is_whole = png_read(w, &image);
    } else if (begins(&w, "\xff\xd8\xff", 3) && skip(&w, 2)) {
        image.type = IMAGE_JPEG;
        is_whole = jpeg_read(w, &image);
    } else if (begins(&w, "RIFF", 4) && w.left >= 12 && memcmp(w.at + 8, "WEBP", 4) == 0) {
        uint32_t length = little32(w.at + 4);
        image.type = IMAGE_WEBP;
        is_whole = skip(&w, 8) && take(&w, length, &chunks) && skip(&chunks, 4) &&
                   webp_read(chunks, &image);
    }
    if (is_whole)
        *ret_image = image;
    return is_whole;
}

bool image_fits(const struct image *image)
{
    return image->width <= IMAGE_SIDE_MAX && image->height <= IMAGE_SIDE_MAX;
}

static const char *const TYPES[] = {
    [IMAGE_JPEG] = "image/jpeg",
    [IMAGE_PNG] = "image/png",
    [IMAGE_WEBP] = "image/webp",
};

struct str image_type_text(enum image_type type)
{
    return str_from(TYPES[type]);
}

bool image_type_parse(struct str text, enum image_type *ret_type)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (str_eq_nocase(text, str_from(TYPES[i]))) {
            *ret_type = (enum image_type)i;
            return true;
        }
    }
    return false;
}
