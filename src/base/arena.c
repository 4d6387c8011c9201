/* Memory. A request allocates by moving a pointer and frees everything at once; malloc's cost and
 * the hunt for the forgotten free() are gone. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ONE_BY_ONE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ONE_BY_ONE 1
#endif
#endif
#ifndef ARENA_ONE_BY_ONE
#define ARENA_ONE_BY_ONE 0
#endif

enum {
    ALIGN = _Alignof(max_align_t),
    FIRST_BLOCK_SIZE = 8 * 1024, /* most requests need no second one */
    NEXT_BLOCK_SIZE = 32 * 1024,
};

struct block {
    struct block *older;
    size_t size, used; /* of bytes */
    _Alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *newest;
    struct block *first;
};

_Noreturn void mem_fail(size_t size)
{
    log_line(LOG_ERROR, "out_of_memory", LOG_INT("bytes", size));
    _exit(EXIT_FAILURE);
}

void *mem_alloc(size_t size)
{
    void *ptr = malloc(size ? size : 1);
    if (!ptr)
        mem_fail(size);
    return ptr;
}

void *mem_zalloc(size_t size)
{
    void *ptr = calloc(1, size ? size : 1);
    if (!ptr)
        mem_fail(size);
    return ptr;
}

void *mem_realloc(void *ptr, size_t size)
{
    void *moved = realloc(ptr, size ? size : 1);
    if (!moved)
        mem_fail(size);
    return moved;
}

char *mem_dup_cstr(const char *cstr)
{
    size_t size = strlen(cstr) + 1;
    return memcpy(mem_alloc(size), cstr, size);
}

static struct block *block_create(size_t size, struct block *older)
{
    if (size > PTRDIFF_MAX - sizeof(struct block))
        mem_fail(size);
    struct block *block = mem_alloc(sizeof(struct block) + size);
    block->older = older;
    block->size = size;
    block->used = 0;
    return block;
}

struct arena *arena_create(void)
{
    struct arena *arena = mem_alloc(sizeof(*arena));
    arena->first = ARENA_ONE_BY_ONE ? NULL : block_create(FIRST_BLOCK_SIZE, NULL);
    arena->newest = arena->first;
    return arena;
}

void arena_reset(struct arena *arena)
{
    struct block *block = arena->newest;
    while (block != arena->first) {
        struct block *older = block->older;
        free(block);
        block = older;
    }
    arena->newest = arena->first;
    if (arena->first)
        arena->first->used = 0;
}

void arena_destroy(struct arena *arena)
{
    if (!arena)
        return;
    arena_reset(arena);
    free(arena->first);
    free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (ARENA_ONE_BY_ONE) {
        arena->newest = block_create(size, arena->newest);
        return arena->newest->bytes;
    }

    struct block *block = arena->newest;
    size_t start = (block->used + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (start > block->size || size > block->size - start) {
        block = block_create(size > NEXT_BLOCK_SIZE ? size : NEXT_BLOCK_SIZE, block);
        arena->newest = block;
        start = 0;
    }
    block->used = start + size;
    return block->bytes + start;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

struct str arena_dup(struct arena *arena, struct str s)
{
    return s.ptr ? (struct str){arena_cstr(arena, s), s.len} : STR_NONE;
}

const char *arena_cstr(struct arena *arena, struct str s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t size = len < 0 ? 1 : (size_t)len + 1;
    char *text = arena_alloc(arena, size);
    text[0] = '\0';
    if (len > 0)
        vsnprintf(text, size, format, again);
    va_end(again);
    return (struct str){text, size - 1};
}
