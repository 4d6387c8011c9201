/* Pictures: whatever the bytes, an answer that reads nothing outside them; one that is whole stays
 * so with more behind it, and is the same picture or none with its last byte cut off. */
#include "fuzz.h"

#include <string.h>

#include "domain/image.h"
#include "domain/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct str bytes = fuzz_exact(arena, (struct str){(const char *)data, size});
    struct image image = {.width = -1, .height = -1}, again;

    if (!image_read(bytes, &image)) {
        CHECK(image.width == -1 && image.height == -1);
        arena_destroy(arena);
        return 0;
    }
    CHECK(image.width > 0 && image.height > 0);
    CHECK(image_fits(&image) == (image.width <= IMAGE_SIDE_MAX && image.height <= IMAGE_SIDE_MAX));

    char *longer = arena_alloc(arena, size + 1);
    memcpy(longer, data, size);
    longer[size] = '\xff';
    CHECK(image_read((struct str){longer, size + 1}, &again));
    CHECK(again.type == image.type && again.width == image.width && again.height == image.height);

    if (image_read(fuzz_exact(arena, str_slice(bytes, 0, size - 1)), &again))
        CHECK(again.type == image.type && again.width == image.width &&
              again.height == image.height);
    arena_destroy(arena);
    return 0;
}
