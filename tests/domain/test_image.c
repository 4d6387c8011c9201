/* Pictures by their bytes: real files from tests/pictures, what is left of them when they are cut
 * or changed, and files made to be misread. */
#include "domain_test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/image.h"
#include "domain/limits.h"

enum { FILE_MAX_BYTES = 4096 };

/* In a block of its own size, so that a sanitizer sees one byte too far. */
static struct str copy(const void *bytes, size_t len)
{
    char *made = mem_alloc(len > 0 ? len : 1);
    memcpy(made, bytes, len);
    return (struct str){made, len};
}

static void release(struct str bytes)
{
    free((void *)(uintptr_t)bytes.ptr);
}

static struct str load(const char *name)
{
    char path[1024], bytes[FILE_MAX_BYTES];
    const char *folder = getenv("PICTURES");
    assert_non_null(folder);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    assert_true(len > 0 && len < sizeof bytes);
    (void)fclose(file);
    return copy(bytes, len);
}

static const char *const PICTURES[] = {
    "7x5.png",
    "7x5-alpha.png",
    "7x5-palette.png",
    "4096x4096.png",
    "4097x1.png",
    "1x4097.png",
    "64x48.jpg",
    "64x48-progressive.jpg",
    "64x48-gray.jpg",
    "64x48-comment.jpg",
    "64x48-thumbnail.jpg",
    "4096x16.jpg",
    "4097x16.jpg",
    "33x20.webp",
    "33x20-lossless.webp",
    "33x20-alpha.webp",
    "33x20-animated.webp",
    "4096x16.webp",
    "4097x16.webp",
};

static void test_image__real_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(PICTURES); i++) {
        struct str bytes = load(PICTURES[i]);
        struct image image;
        long width, height;
        assert_int_equal(sscanf(PICTURES[i], "%ldx%ld", &width, &height), 2);
        if (!image_read(bytes, &image))
            fail_msg("%s is not understood", PICTURES[i]);
        if (image.width != width || image.height != height)
            fail_msg("%s is taken for %dx%d", PICTURES[i], (int)image.width, (int)image.height);
        assert_int_equal(image_fits(&image), width <= 4096 && height <= 4096);
        enum image_type type;
        struct str text = image_type_text(image.type);
        assert_true(image_type_parse(text, &type));
        assert_int_equal(type, image.type);
        const char *end = strrchr(PICTURES[i], '.') + 1;
        assert_str(text, strcmp(end, "jpg") == 0   ? "image/jpeg"
                         : strcmp(end, "png") == 0 ? "image/png"
                                                   : "image/webp");
        release(bytes);
    }
}

static void test_image__every_file_is_tested(void **state)
{
    (void)state;
    DIR *folder = opendir(getenv("PICTURES"));
    struct dirent *entry;
    size_t n = 0;
    assert_non_null(folder);
    while ((entry = readdir(folder)))
        n += strchr("0123456789", entry->d_name[0]) != NULL;
    (void)closedir(folder);
    assert_int_equal(n, N_OF(PICTURES));
}

/* Whatever is cut off: the end of each format is its last byte, or the checksum before it. */
static void test_image__cut_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(PICTURES); i++) {
        struct str whole = load(PICTURES[i]);
        for (size_t len = 0; len < whole.len; len++) {
            struct image image = {.width = -1};
            struct str cut = copy(whole.ptr, len);
            if (image_read(cut, &image))
                fail_msg("%s cut to %zu bytes passes", PICTURES[i], len);
            assert_int_equal(image.width, -1); /* untouched */
            release(cut);
        }
        release(whole);
    }
}

/* What follows the end is nobody's business. */
static void test_image__more_behind_the_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(PICTURES); i++) {
        char bytes[FILE_MAX_BYTES + 8] = {0};
        struct str whole = load(PICTURES[i]);
        struct image image;
        memcpy(bytes, whole.ptr, whole.len);
        struct str longer = copy(bytes, whole.len + 8);
        assert_true(image_read(longer, &image));
        release(longer);
        release(whole);
    }
}

/* Any byte with any value: no answer is wrong, but each must come, and read nothing outside. */
static void test_image__changed_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(PICTURES); i++) {
        struct str bytes = load(PICTURES[i]);
        char *at = (char *)(uintptr_t)bytes.ptr;
        for (size_t j = 0; j < bytes.len; j++) {
            char was = at[j];
            for (int value = 0; value < 256; value += j < 64 ? 1 : 51) {
                struct image image;
                at[j] = (char)value;
                if (image_read(bytes, &image))
                    assert_true(image.width > 0 && image.height > 0);
            }
            at[j] = was;
        }
        release(bytes);
    }
}

static bool reads(const void *bytes, size_t len)
{
    struct image image;
    struct str exact = copy(bytes, len);
    bool is_read = image_read(exact, &image);
    release(exact);
    return is_read;
}
#define READS(literal) reads(literal, sizeof(literal) - 1)

static void test_image__other_files(void **state)
{
    (void)state;
    assert_false(READS(""));
    assert_false(READS("GIF89a\1\0\1\0\0\0\0;"));
    assert_false(READS("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"));
    assert_false(READS("<?xml version=\"1.0\"?><svg/>"));
    assert_false(READS("BM\x1e\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\1\0\1\0\1\0\x18\0\0\0\xff\0"));
    assert_false(READS("\0\0\0\x1c"
                       "ftypavif\0\0\0\0avifmif1miaf"));
    assert_false(READS("\x89PNG\r\n\x1a\n"));
    assert_false(READS("\xff\xd8\xff"));
    assert_false(READS("\xff\xd8\xff\xd9"));
    assert_false(READS("RIFF\4\0\0\0WEBP"));
    assert_false(READS("RIFF\x24\0\0\0WAVEfmt "));
    enum image_type type;
    assert_false(image_type_parse(STR("image/svg+xml"), &type));
    assert_false(image_type_parse(STR(""), &type));
    assert_false(image_type_parse(STR_NONE, &type));
    assert_true(image_type_parse(STR("IMAGE/PNG"), &type));
}

/* ---- Made to be misread ---- */

#define JPEG_FRAME(kind, height, width) "\xff" kind "\0\x0b\x08" height width "\1\1\x11\0"
#define JPEG_SCAN                                                                                  \
    "\xff\xda\0\x08\1\1\0\0\x3f\0"                                                                 \
    "data\xff\0more\xff\xd0\xff\xff\xd1\xff\0"
#define JPEG_END "\xff\xd9"

static void test_image__jpeg_frames(void **state)
{
    (void)state;
    struct image image;
    const char good[] = "\xff\xd8" JPEG_FRAME("\xc2", "\0\3", "\0\4") JPEG_SCAN
        "\xff\xc4\0\2" JPEG_SCAN "\xff\xff\xff" JPEG_END;
    assert_true(image_read((struct str){good, sizeof good - 1}, &image));
    assert_int_equal(image.width, 4);
    assert_int_equal(image.height, 3);
    /* The markers between the frames' that are none. */
    assert_false(READS("\xff\xd8" JPEG_FRAME("\xc4", "\0\3", "\0\4") JPEG_SCAN JPEG_END));
    assert_false(READS("\xff\xd8" JPEG_FRAME("\xc8", "\0\3", "\0\4") JPEG_SCAN JPEG_END));
    assert_false(READS("\xff\xd8" JPEG_FRAME("\xcc", "\0\3", "\0\4") JPEG_SCAN JPEG_END));
    assert_true(READS("\xff\xd8" JPEG_FRAME("\xcf", "\0\3", "\0\4") JPEG_SCAN JPEG_END));
    /* No size, two sizes, none before the scan, no scan. */
    assert_false(READS("\xff\xd8" JPEG_FRAME("\xc0", "\0\0", "\0\4") JPEG_SCAN JPEG_END));
    assert_false(READS("\xff\xd8" JPEG_FRAME("\xc0", "\0\3", "\0\0") JPEG_SCAN JPEG_END));
    assert_false(READS("\xff\xd8" JPEG_FRAME("\xc0", "\0\3", "\0\4")
                           JPEG_FRAME("\xc0", "\xff\3", "\0\4") JPEG_SCAN JPEG_END));
    assert_false(READS("\xff\xd8" JPEG_SCAN JPEG_FRAME("\xc0", "\0\3", "\0\4") JPEG_END));
    assert_false(READS("\xff\xd8" JPEG_FRAME("\xc0", "\0\3", "\0\4") JPEG_END));
}

static void test_image__jpeg_lengths(void **state)
{
    (void)state;
#define AROUND(segment) "\xff\xd8" segment JPEG_FRAME("\xc0", "\0\3", "\0\4") JPEG_SCAN JPEG_END
    assert_true(READS(AROUND("\xff\xe1\0\2")));
    assert_true(READS(AROUND("\xff\x01")));
    assert_false(READS(AROUND("\xff\xe1\0\0")));
    assert_false(READS(AROUND("\xff\xe1\0\1")));
    assert_false(READS(AROUND("\xff\xe1\xff\xff")));
    assert_false(READS(AROUND("\xff\xd8")));
    assert_false(READS(AROUND("\xff\0\0\2")));
    assert_false(READS(AROUND("x")));
    /* A frame within a segment is no frame. */
    assert_true(READS(AROUND("\xff\xe1\0\x0f" JPEG_FRAME("\xc0", "\xff\3", "\0\4"))));
    assert_false(READS(AROUND("\xff\xe1\0\x02" JPEG_FRAME("\xc0", "\xff\3", "\0\4"))));
#undef AROUND
}

#define PNG_BEGIN "\x89PNG\r\n\x1a\n"
#define PNG_HEADER(depth, colour)                                                                  \
    "\0\0\0\x0d"                                                                                   \
    "IHDR\0\0\0\4\0\0\0\3" depth colour "\0\0\0"                                                   \
    "crc!"
#define PNG_REST                                                                                   \
    "\0\0\0\1"                                                                                     \
    "IDATxcrc!"                                                                                    \
    "\0\0\0\0"                                                                                     \
    "IENDcrc!"

static void test_image__png_parts(void **state)
{
    (void)state;
    assert_true(READS(PNG_BEGIN PNG_HEADER("\x08", "\2") PNG_REST));
    assert_true(READS(PNG_BEGIN PNG_HEADER("\x10", "\6") PNG_REST));
    assert_true(READS(PNG_BEGIN PNG_HEADER("\1", "\3") PNG_REST));
    assert_false(READS(PNG_BEGIN PNG_HEADER("\1", "\2") PNG_REST));
    assert_false(READS(PNG_BEGIN PNG_HEADER("\x10", "\3") PNG_REST));
    assert_false(READS(PNG_BEGIN PNG_HEADER("\x08", "\1") PNG_REST));
    assert_false(READS(PNG_BEGIN PNG_HEADER("\x08", "\7") PNG_REST));
    assert_false(READS(PNG_BEGIN PNG_HEADER("\x20", "\0") PNG_REST));
    assert_false(READS(PNG_BEGIN PNG_HEADER("\xff", "\0") PNG_REST));
    assert_false(READS(PNG_BEGIN PNG_REST));
    assert_false(READS(PNG_BEGIN PNG_HEADER("\x08", "\2") PNG_HEADER("\x08", "\2") PNG_REST));
    assert_false(READS(PNG_BEGIN "\0\0\0\0tEXtcrc!" PNG_HEADER("\x08", "\2") PNG_REST));
    assert_false(READS(PNG_BEGIN PNG_HEADER("\x08", "\2") "\0\0\0\0"
                                                          "IENDcrc!"));
    assert_false(READS(PNG_BEGIN PNG_HEADER("\x08", "\2") "\xff\xff\xff\xff"
                                                          "IDATxcrc!"));
    assert_false(READS(PNG_BEGIN "\0\0\0\x0d"
                                 "IHDR\0\0\0\0\0\0\0\3\x08\2\0\0\0crc!" PNG_REST));
    assert_false(READS(PNG_BEGIN "\0\0\0\x0c"
                                 "IHDR\0\0\0\4\0\0\0\3\x08\2\0\0"
                                 "crc!" PNG_REST));
}

#define WEBP(length, chunks) "RIFF" length "\0\0\0WEBP" chunks
#define WEBP_CANVAS(flags, width, height) "VP8X\x0a\0\0\0" flags "\0\0\0" width "\0\0" height "\0\0"
#define WEBP_PLAIN(key, width, height) "VP8 \x0a\0\0\0" key "\0\0\x9d\x01\x2a" width height
#define WEBP_FRAME(x, width, height)                                                               \
    "ANMF\x22\0\0\0" x "\0\0\0\0\0" width "\0\0" height                                            \
    "\0\0\0\0\0\0" WEBP_PLAIN("\0", "\4\0", "\3\0")

static void test_image__webp_parts(void **state)
{
    (void)state;
    assert_true(READS(WEBP("\x16", WEBP_PLAIN("\0", "\4\0", "\3\0"))));
    assert_true(READS(WEBP("\x16", WEBP_PLAIN("\0", "\4\xc0", "\3\x40")))); /* scaling bits */
    assert_false(READS(WEBP("\x16", WEBP_PLAIN("\1", "\4\0", "\3\0"))));
    assert_false(READS(WEBP("\x16", WEBP_PLAIN("\0", "\0\0", "\3\0"))));
    assert_false(READS(WEBP("\x17", WEBP_PLAIN("\0", "\4\0", "\3\0"))));
    assert_false(READS(WEBP("\x15", WEBP_PLAIN("\0", "\4\0", "\3\0"))));
    assert_false(READS(WEBP("\x03", WEBP_PLAIN("\0", "\4\0", "\3\0"))));
    /* Two pictures; a small canvas with a large picture in it, which a decoder would not show. */
    assert_false(
        READS(WEBP("\x28", WEBP_PLAIN("\0", "\4\0", "\3\0") WEBP_PLAIN("\0", "\4\0", "\3\0"))));
    assert_true(
        READS(WEBP("\x28", WEBP_CANVAS("\0", "\3", "\2") WEBP_PLAIN("\0", "\4\0", "\3\0"))));
    assert_false(
        READS(WEBP("\x28", WEBP_CANVAS("\0", "\3", "\2") WEBP_PLAIN("\0", "\4\x20", "\3\0"))));
    assert_false(READS(WEBP("\x16", WEBP_CANVAS("\0", "\3", "\2"))));
    /* Frames. */
    assert_true(READS(WEBP("\x40", WEBP_CANVAS("\2", "\5", "\2") WEBP_FRAME("\1", "\3", "\2"))));
    assert_false(READS(WEBP("\x40", WEBP_CANVAS("\2", "\5", "\2") WEBP_FRAME("\2", "\3", "\2"))));
    assert_false(READS(WEBP("\x40", WEBP_CANVAS("\2", "\5", "\2") WEBP_FRAME("\0", "\2", "\2"))));
    assert_false(READS(WEBP("\x40", WEBP_CANVAS("\0", "\5", "\2") WEBP_FRAME("\1", "\3", "\2"))));
    assert_false(
        READS(WEBP("\x28", WEBP_CANVAS("\2", "\3", "\2") WEBP_PLAIN("\0", "\4\0", "\3\0"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image__real_files),
        cmocka_unit_test(test_image__every_file_is_tested),
        cmocka_unit_test(test_image__cut_files),
        cmocka_unit_test(test_image__more_behind_the_end),
        cmocka_unit_test(test_image__changed_files),
        cmocka_unit_test(test_image__other_files),
        cmocka_unit_test(test_image__jpeg_frames),
        cmocka_unit_test(test_image__jpeg_lengths),
        cmocka_unit_test(test_image__png_parts),
        cmocka_unit_test(test_image__webp_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
