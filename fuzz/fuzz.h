/* What the fuzz targets share. A target is LLVMFuzzerTestOneInput of libFuzzer: it takes its input
 * apart into lines, so that a corpus file can be read and written by hand, runs the real code and
 * asserts what must hold for every input. */
#ifndef SERVERY_FUZZ_FUZZ_H
#define SERVERY_FUZZ_FUZZ_H

#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's own */

/* Unlike assert it is there in every build, and shows two texts that should be the same. */
#define CHECK(condition) fuzz_check((condition), __FILE__, __LINE__, #condition)
#define CHECK_SAME(a, b) fuzz_check_same((a), (b), __FILE__, __LINE__, #a " is " #b)
void fuzz_check(bool condition, const char *file, int line, const char *words);
void fuzz_check_same(struct str a, struct str b, const char *file, int line, const char *words);

/* The next line without its end, and what is left; each a copy of exactly its size in the arena, so
 * that the sanitizer sees who reads past it. */
struct str fuzz_line(struct arena *arena, struct str *rest);
struct str fuzz_rest(struct arena *arena, struct str rest);

/* The whole of s as a number, or one made of its bytes, so that every input gives one. */
int64_t fuzz_int(struct str s);

struct str fuzz_exact(struct arena *arena, struct str s);

#endif
