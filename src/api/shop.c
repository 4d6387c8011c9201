/* The shop's settings on the wire. */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/menu.h"
#include "base/text.h"
#include "domain/account.h"
#include "domain/money.h"

enum err shop_get(struct call *c)
{
    struct menu_shop *shop = menu_shop(c->api->menu);
    if (!shop)
        return ERR_UNAVAILABLE;
    c->http->response.status = 200;
    c->http->response.content = http_content_ref(shop->content);
    c->http->response.cache_control = STR("no-cache");
    menu_shop_unref(shop);
    return ERR_OK;
}

/* Only names can pass that stay inside the folder: no dot, no slash in front. */
static bool timezone_name_is_safe(struct str name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '\0' || !strchr(allowed, name.ptr[i]))
            return false;
    }
    return name.len >= 1 && name.len <= TIMEZONE_MAX_CHARS && name.ptr[0] != '/';
}

/* A zone that this machine knows: a file of the tz database. */
static bool timezone_exists(struct str name)
{
    static const char magic[] = "TZif";
    char path[128], start[sizeof(magic) - 1];

    if (!timezone_name_is_safe(name))
        return false;
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/" STR_FMT, STR_ARG(name));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, start, sizeof(start));
    close(fd);
    return n == (ssize_t)sizeof(start) && memcmp(start, magic, sizeof(start)) == 0;
}

static enum err check(struct call *c, struct shop_edit *edit)
{
    if (edit->name.set) {
        edit->name.value = text_trim(edit->name.value);
        if (edit->name.value.len == 0)
            problem_add(&c->problem, "name", PROBLEM_TOO_SHORT, "It must not be empty.");
    }
    if (edit->currency.set && currency_exponent(edit->currency.value) < 0)
        problem_add(&c->problem, "currency", PROBLEM_INVALID_VALUE,
                    "It must be a currency of ISO 4217, as in NGN.");
    if (edit->country_code.set && !country_code_is_well_formed(edit->country_code.value))
        problem_add(&c->problem, "country_code", PROBLEM_INVALID_VALUE,
                    "It must be 1 to 3 digits, as in 234.");
    if (edit->timezone.set && !timezone_exists(edit->timezone.value))
        problem_add(&c->problem, "timezone", PROBLEM_INVALID_VALUE,
                    "It must be a time zone of the tz database, as in Africa/Lagos.");
    return c->problem.n_rows > 0 ? ERR_PROBLEM : ERR_OK;
}

static void encode(struct call *c, void *arg)
{
    const struct shop_edit *edit = arg;
    shop_encode(call_json(c, 200), NULL, &edit->shop);
}

#define FIELD(member) offsetof(struct shop_edit, member)

enum err shop_put(struct call *c)
{
    static const struct json_field fields[] = {
        {"name", JSON_TEXT, 0, FIELD(name), 1, NAME_MAX_CHARS, PROBLEM_NONE},
        {"currency", JSON_TEXT, 0, FIELD(currency), 0, 0, PROBLEM_NONE},
        {"country_code", JSON_TEXT, 0, FIELD(country_code), 0, 0, PROBLEM_NONE},
        {"timezone", JSON_TEXT, 0, FIELD(timezone), 0, 0, PROBLEM_NONE},
        {"payment_instructions", JSON_LONG_TEXT, 0, FIELD(payment_instructions), 0,
         INSTRUCTIONS_MAX_CHARS, PROBLEM_NONE},
    };
    struct shop_edit edit = {.problem = &c->problem};
    enum err err = call_body(c, fields, FIELDS_N(fields), &edit);
    if (!err)
        err = check(c, &edit);
    return err ? err : call_write(c, shop_edit, encode, &edit);
}
