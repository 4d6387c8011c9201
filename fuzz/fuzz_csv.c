/* Tables for spreadsheets: read back they are the texts that were written, but for the apostrophe
 * that keeps a spreadsheet from taking one for a formula. In the input '|' ends a cell and ';' a
 * row. */
#include "fuzz.h"

#include <string.h>

#include "csv_reference.h"
#include "domain/csv.h"

static bool is_formula(struct str text)
{
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbc", 2) == 0) /* full-width */
        return text.ptr[2] && strchr("\x9d\x8b\x8d\xa0", text.ptr[2]);
    return text.len > 0 && text.ptr[0] && strchr("=+-@\t\r\n", text.ptr[0]);
}

static void write_table(struct csv *csv, struct str rest)
{
    struct str row, cell;
    while (str_split(&rest, ';', &row)) {
        while (str_split(&row, '|', &cell)) {
            int64_t number;
            if (str_to_int64(cell, &number) && number >= 0)
                csv_int(csv, number);
            else
                csv_text(csv, cell.len > 0 ? cell : STR_NONE);
        }
        csv_end_row(csv);
    }
}

static void check_cell(struct arena *arena, struct str read, struct str written)
{
    char text[STR_INT64_SIZE];
    int64_t number;
    CHECK(!is_formula(read));
    if (str_to_int64(written, &number) && number >= 0)
        written = str_from_int64(number, text); /* "007" */
    struct buf expected;
    buf_init(&expected, arena);
    buf_put_cstr(&expected, is_formula(written) ? "'" : "");
    buf_put_str(&expected, written);
    CHECK(str_eq(read, buf_str(&expected)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct str table = fuzz_exact(arena, (struct str){(const char *)data, size}), rest = table;
    struct str row, written, read, written_rows = table;
    struct csv csv;
    struct buf out;
    bool ends_row;

    buf_init(&out, arena);
    csv_init(&csv, &out);
    write_table(&csv, table);
    rest = fuzz_exact(arena, buf_str(&out));
    while (str_split(&written_rows, ';', &row))
        while (str_split(&row, '|', &written)) {
            CHECK(csv_reference_read(arena, &rest, &read, &ends_row));
            CHECK(ends_row == !row.ptr);
            check_cell(arena, read, written);
        }
    CHECK(rest.len == 0);
    arena_destroy(arena);
    return 0;
}
