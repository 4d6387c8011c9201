#include "base/sort.h"

#include <stdlib.h>

int sort_by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void sort_numbers(int64_t *numbers, size_t n)
{
    if (n > 1)
        qsort(numbers, n, sizeof *numbers, sort_by_number);
}
