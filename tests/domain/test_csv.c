/* Comma-separated values: what is quoted, and what is made harmless. */
#include "domain_test.h"

#include "domain/csv.h"

static void expect_cell(struct str text, const char *expected)
{
    struct buf out;
    struct csv csv;
    buf_init(&out, NULL);
    csv_init(&csv, &out);
    csv_text(&csv, text);
    buf_put_char(&out, 0);
    assert_string_equal(out.ptr, expected);
    buf_finish(&out);
}

static void test_csv__cells(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cell;
    } cases[] = {
        {"", ""},
        {"rice", "rice"},
        {"rice and stew", "rice and stew"},
        {"a,b", "\"a,b\""},
        {"a\nb", "\"a\nb\""},
        {"a\rb", "\"a\rb\""},
        {"\"", "\"\"\"\""},
        {"a \"big\" one", "\"a \"\"big\"\" one\""},
        {"\"\"", "\"\"\"\"\"\""},
        {" a", "\" a\""},
        {"a ", "\"a \""},
        {"a=b", "a=b"},
        {"'a", "'a"},
        {"Jollof \xe2\x80\x93 \xc3\xa9", "Jollof \xe2\x80\x93 \xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_cell(str_from(cases[i].text), cases[i].cell);
    expect_cell(STR_NONE, "");
}

static void test_csv__formulas(void **state)
{
    (void)state;
    expect_cell(STR("=1+1"), "\"'=1+1\"");
    expect_cell(STR("+234803"), "\"'+234803\"");
    expect_cell(STR("-1"), "\"'-1\"");
    expect_cell(STR("@SUM(A1)"), "\"'@SUM(A1)\"");
    expect_cell(STR("\t=1"), "\"'\t=1\"");
    expect_cell(STR("\r=1"), "\"'\r=1\"");
    expect_cell(STR("\n=1"), "\"'\n=1\"");
    expect_cell(STR("\uFF1D1+1"), "\"'\uFF1D1+1\"");
    expect_cell(STR("\uFF0B1"), "\"'\uFF0B1\"");
    expect_cell(STR("\uFF0D1"), "\"'\uFF0D1\"");
    expect_cell(STR("\uFF20SUM(A1)"), "\"'\uFF20SUM(A1)\"");
    expect_cell(STR("\uFF1C"), "\uFF1C"); /* a full-width less-than sign is none of them */
    expect_cell(STR("\xef\xbc"), "\xef\xbc");
    expect_cell(STR("=HYPERLINK(\"http://x\",\"y\")"),
                "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
    expect_cell(STR("="), "\"'=\"");
}

static void test_csv__rows(void **state)
{
    (void)state;
    struct buf out;
    struct csv csv;
    buf_init(&out, NULL);
    csv_init(&csv, &out);
    csv_int(&csv, 9007199254740991);
    csv_text(&csv, STR_NONE);
    csv_text(&csv, STR("x"));
    csv_end_row(&csv);
    csv_text(&csv, STR_NONE);
    csv_int(&csv, 0);
    csv_end_row(&csv);
    buf_put_char(&out, 0);
    assert_string_equal(out.ptr, "9007199254740991,,x\r\n,0\r\n");
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv__cells),
        cmocka_unit_test(test_csv__formulas),
        cmocka_unit_test(test_csv__rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
