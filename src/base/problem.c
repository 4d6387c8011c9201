/* The table of problem codes, and filling a struct problem. */
#include "base/problem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { DETAIL_SIZE = 512 };

static const struct {
    const char *text;
    const char *title;
    int status;
} codes[PROBLEM_COUNT] = {
    /* Who answers without having said why has a bug. */
    [PROBLEM_NONE] = {"internal", "Something went wrong on our side", 500},
#define PROBLEM_ROW(name, text, status, title) [PROBLEM_##name] = {#text, title, status},
    PROBLEM_CODES(PROBLEM_ROW)
#undef PROBLEM_ROW
};

void problem_init(struct problem *problem, struct arena *arena)
{
    problem->arena = arena;
    problem_reset(problem);
}

void problem_reset(struct problem *problem)
{
    /* The rows stay as they are: clearing 3 KB for every request would be the dearest part. */
    problem->code = PROBLEM_NONE;
    problem->detail = STR_NONE;
    problem->retry_after_ms = 0;
    problem->n_rows = 0;
    problem->n_extras = 0;
}

enum err problem_set(struct problem *problem, enum problem_code code, const char *detail)
{
    problem->code = code;
    problem->detail = arena_dup(problem->arena, str_from(detail));
    return ERR_PROBLEM;
}

enum err problem_printf(struct problem *problem, enum problem_code code, const char *format, ...)
{
    char detail[DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    return problem_set(problem, code, detail);
}

static enum err add(struct problem *problem, struct problem_row row)
{
    if (problem->n_rows == 0)
        problem->code = row.code;
    if (problem->n_rows < PROBLEM_ROWS_MAX) {
        row.detail = arena_dup(problem->arena, row.detail);
        problem->rows[problem->n_rows++] = row;
    }
    return ERR_PROBLEM;
}

enum err problem_add(struct problem *problem, const char *field, enum problem_code code,
                     const char *detail)
{
    return add(problem, (struct problem_row){field, code, str_from(detail), 0});
}

enum err problem_add_food(struct problem *problem, int64_t food_id, enum problem_code code,
                          struct str detail)
{
    return add(problem, (struct problem_row){NULL, code, detail, food_id});
}

void problem_extra_int(struct problem *problem, const char *key, int64_t value)
{
    char text[STR_INT64_SIZE];
    problem_extra_json(problem, key, str_from_int64(value, text));
}

void problem_extra_json(struct problem *problem, const char *key, struct str json)
{
    assert(problem->n_extras < PROBLEM_EXTRAS_MAX);
    problem->extras[problem->n_extras++] =
        (struct problem_extra){key, arena_dup(problem->arena, json)};
}

const char *problem_code_text(enum problem_code code)
{
    return codes[code].text;
}

const char *problem_code_title(enum problem_code code)
{
    return codes[code].title;
}

int problem_code_status(enum problem_code code)
{
    return codes[code].status;
}
