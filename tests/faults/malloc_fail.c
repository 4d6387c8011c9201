/* Preloaded into the program: makes its allocations fail as the file named by MALLOC_FAIL_FILE
 * says, which a test writes and this reads while the program runs. glibc's own names lead to the
 * real allocator without a dlsym, which would allocate. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct control {
    _Atomic int64_t left; /* counted down by each; one that leaves no more than `more` fails */
    _Atomic int64_t more; /* so many after the first that failed fail, too */
    _Atomic int64_t made; /* since the file was written */
    _Atomic int64_t failed;
};

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static struct control *_Atomic control;

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv("MALLOC_FAIL_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED)
        control = map;
}

static bool must_fail(void)
{
    struct control *c = control;

    if (!c)
        return false;
    atomic_fetch_add(&c->made, 1);
    if (atomic_load(&c->left) <= 0)
        return false;
    int64_t left = atomic_fetch_sub(&c->left, 1) - 1;
    if (left > atomic_load(&c->more))
        return false;
    atomic_fetch_add(&c->failed, 1);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return must_fail() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return must_fail() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *ptr, size_t size)
{
    return size > 0 && must_fail() ? NULL : __libc_realloc(ptr, size);
}

void *memalign(size_t alignment, size_t size)
{
    return must_fail() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **ret_ptr, size_t alignment, size_t size)
{
    void *ptr = memalign(alignment, size);
    if (!ptr)
        return ENOMEM;
    *ret_ptr = ptr;
    return 0;
}
