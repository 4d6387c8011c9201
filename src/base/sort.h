/* Sorting numbers. */
#ifndef SERVERY_BASE_SORT_H
#define SERVERY_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

void sort_numbers(int64_t *numbers, size_t n); /* rising */

/* That order, of two int64_t, for bsearch. */
int sort_by_number(const void *a, const void *b);

#endif
