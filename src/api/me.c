/* A user's own account. */
#include "api/handlers.h"
#include "api/menu.h"
#include "api/users.h"

enum err me_get(struct call *c)
{
    struct user_get get = {.user_id = c->session.user_id};

    enum err err = call_read(c, user_get, &get);
    if (err)
        return err;
    user_encode(call_json(c, 200), NULL, &get.user);
    return ERR_OK;
}

static void encode_edited(struct call *c, void *arg)
{
    const struct user_edit *edit = arg;
    user_encode(call_json(c, 200), NULL, &edit->user);
}

enum err me_put(struct call *c)
{
    static const struct json_field fields[] = {
        {"name", JSON_TEXT, JSON_NULLABLE, offsetof(struct user_edit, name), 1, NAME_MAX_CHARS,
         PROBLEM_NONE},
        {"phone", JSON_TEXT, JSON_NULLABLE, offsetof(struct user_edit, phone), 0, 0, PROBLEM_NONE},
    };
    struct user_edit edit = {.user_id = c->session.user_id, .problem = &c->problem};
    struct shop shop = menu_shop_copy(c->api->menu, c->arena);

    enum err err = call_body(c, fields, FIELDS_N(fields), &edit);
    if (err)
        return err;
    err = call_trim(c, "name", &edit.name);
    if (phone_check(c, shop.country_code, &edit.phone) || err)
        return ERR_PROBLEM;
    return call_write(c, user_edit, encode_edited, &edit);
}

enum err me_referrals_get(struct call *c)
{
    struct str limit, cursor;
    const struct query_field fields[] = {{"limit", &limit}, {"cursor", &cursor}};
    struct page page;

    enum err err = call_query(c, fields, FIELDS_N(fields));
    if (!err)
        err = call_page(c, limit, cursor, PAGE_DEFAULT, PAGE_MAX, &page);
    if (err)
        return err;
    struct user_referrals referrals = {
        .user_id = c->session.user_id,
        .before_id = page.has_cursor ? page.cursor[0] : ID_MAX + 1,
        .limit = (size_t)page.limit,
    };
    err = call_read(c, user_referrals, &referrals);
    if (err)
        return err;
    struct json_writer *w = call_json(c, 200);
    json_begin_object(w, NULL);
    json_str(w, "referral_code", referrals.referral_code);
    json_int(w, "count", referrals.count);
    json_begin_array(w, "items");
    for (size_t i = 0; i < referrals.n; i++) {
        json_begin_object(w, NULL);
        json_str(w, "name", referrals.items[i].name);
        json_time(w, "joined_at", referrals.items[i].joined_at_ms);
        json_end_object(w);
    }
    json_end_array(w);
    int64_t last[CURSOR_PARTS] = {referrals.n ? referrals.items[referrals.n - 1].user_id : 0};
    json_str(w, "next_cursor", referrals.more ? call_cursor(c, last) : STR_NONE);
    json_end_object(w);
    return ERR_OK;
}
