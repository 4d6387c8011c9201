#include "domain/csv.h"

#include <string.h>

void csv_init(struct csv *csv, struct buf *out)
{
    *csv = (struct csv){.out = out};
}

static void begin_cell(struct csv *csv)
{
    if (csv->begun)
        buf_put_char(csv->out, ',');
    csv->begun = true;
}

/* Spreadsheets set for Chinese, Japanese or Korean take the full-width signs for the plain ones. */
static bool begins_formula(struct str text)
{
    static const char *const wide[] = {"\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"}; /* = + - @ */

    if (text.len > 0 && memchr("=+-@\t\r\n", text.ptr[0], 7))
        return true;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (str_starts(text, str_from(wide[i])))
            return true;
    return false;
}

/* Space at the ends is the text's own, and some readers drop it unless it is quoted. */
static bool needs_quotes(struct str text)
{
    if (text.len == 0)
        return false;
    if (text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ')
        return true;
    for (size_t i = 0; i < text.len; i++)
        if (memchr("\",\r\n", text.ptr[i], 4))
            return true;
    return false;
}

void csv_text(struct csv *csv, struct str text)
{
    text = text.ptr ? text : STR("");
    bool formula = begins_formula(text), quotes = formula || needs_quotes(text);

    begin_cell(csv);
    if (quotes)
        buf_put_char(csv->out, '"');
    if (formula)
        buf_put_char(csv->out, '\'');
    for (size_t i = 0, from = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '"')
            continue;
        buf_put(csv->out, text.ptr + from, i - from);
        if (i < text.len)
            buf_put_char(csv->out, '"'); /* doubled: the quote itself begins the next part */
        from = i;
    }
    if (quotes)
        buf_put_char(csv->out, '"');
}

void csv_int(struct csv *csv, int64_t value)
{
    begin_cell(csv);
    buf_put_int(csv->out, value);
}

void csv_end_row(struct csv *csv)
{
    buf_put_cstr(csv->out, "\r\n");
    csv->begun = false;
}
