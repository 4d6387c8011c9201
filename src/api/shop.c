/* The shop's settings on the wire. */
#include <stddef.h>

#include "api/handlers.h"
#include "api/menu.h"
#include "base/zone.h"
#include "domain/account.h"
#include "domain/money.h"

enum err shop_get(struct call *c)
{
    struct menu_shop *shop = menu_shop(c->api->menu);
    c->http->response.status = 200;
    c->http->response.content = http_content_ref(shop->content);
    c->http->response.cache_control = STR("no-cache");
    menu_shop_unref(shop);
    return ERR_OK;
}

static bool timezone_exists(struct str name)
{
    struct zone *zone = name.len <= TIMEZONE_MAX_CHARS ? zone_create(name) : NULL;
    bool exists = zone != NULL;

    zone_destroy(zone);
    return exists;
}

static enum err check(struct call *c, struct shop_edit *edit)
{
    enum err err = call_trim(c, "name", &edit->name);
    if (edit->currency.set && currency_exponent(edit->currency.value) < 0)
        problem_add(&c->problem, "currency", PROBLEM_INVALID_VALUE,
                    "It must be a currency of ISO 4217, as in NGN.");
    if (edit->country_code.set && !country_code_is_well_formed(edit->country_code.value))
        problem_add(&c->problem, "country_code", PROBLEM_INVALID_VALUE,
                    "It must be 1 to 3 digits, as in 234.");
    if (edit->timezone.set && !timezone_exists(edit->timezone.value))
        problem_add(&c->problem, "timezone", PROBLEM_INVALID_VALUE,
                    "It must be a time zone of the tz database, as in Africa/Lagos.");
    return c->problem.n_rows > 0 ? ERR_PROBLEM : err;
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
