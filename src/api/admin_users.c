/* Users as an admin sees and changes them. */
#include "api/handlers.h"
#include "api/menu.h"
#include "api/users.h"
#include "base/text.h"

/* What to look for: a phone in whichever way it is written, else the words, folded. */
static enum err find_needle(struct call *c, struct str q, struct str *ret_needle)
{
    struct shop shop = menu_shop_copy(c->api->menu, c->arena);

    *ret_needle = STR_NONE;
    struct search search = call_search(c, q);
    if (!search.text.ptr)
        return c->problem.n_rows > 0 ? ERR_PROBLEM : ERR_OK;
    if (!phone_normalize(c->arena, search.text, shop.country_code, ret_needle))
        *ret_needle = search.needle;
    return ERR_OK;
}

enum err admin_users_get(struct call *c)
{
    struct str q, limit, cursor;
    const struct query_field fields[] = {{"q", &q}, {"limit", &limit}, {"cursor", &cursor}};
    struct user_list list = {0};
    struct page page;

    enum err err = call_query(c, fields, FIELDS_N(fields));
    if (!err)
        err = call_page(c, limit, cursor, PAGE_DEFAULT, PAGE_MAX, &page);
    if (!err)
        err = find_needle(c, q, &list.needle);
    if (err)
        return err;
    list.before_id = page.has_cursor ? page.cursor[0] : ID_MAX + 1;
    list.limit = (size_t)page.limit;
    err = call_read(c, user_list, &list);
    if (err)
        return err;
    struct json_writer *w = call_list(c);
    for (size_t i = 0; i < list.n; i++)
        user_encode(w, NULL, &list.users[i]);
    int64_t last[CURSOR_PARTS] = {list.n ? list.users[list.n - 1].id : 0};
    call_end_list(c, list.more ? call_cursor(c, last) : STR_NONE);
    return ERR_OK;
}

struct manage_body {
    struct opt_str role, phone;
    struct opt_bool disabled;
};

static enum err read_manage(struct call *c, struct user_manage *manage)
{
    static const struct json_field fields[] = {
        {"role", JSON_TEXT, 0, offsetof(struct manage_body, role), 0, 0, PROBLEM_NONE},
        {"disabled", JSON_BOOL, 0, offsetof(struct manage_body, disabled), 0, 0, PROBLEM_NONE},
        {"phone", JSON_TEXT, JSON_NULLABLE, offsetof(struct manage_body, phone), 0, 0,
         PROBLEM_NONE},
    };
    struct manage_body in = {0};

    enum err err = call_body(c, fields, FIELDS_N(fields), &in);
    if (err)
        return err;
    if (in.role.set && !role_parse(in.role.value, &manage->role))
        err = problem_add(&c->problem, "role", PROBLEM_INVALID_VALUE, "It must be user or admin.");
    if (in.phone.set && !in.phone.null)
        err = problem_add(&c->problem, "phone", PROBLEM_INVALID_VALUE,
                          "It can only be taken away, with null.");
    manage->set_role = in.role.set;
    manage->set_disabled = in.disabled.set;
    manage->disabled = in.disabled.value;
    manage->clear_phone = in.phone.set;
    return err;
}

static void encode_managed(struct call *c, void *arg)
{
    const struct user_manage *manage = arg;
    user_encode(call_json(c, 200), NULL, &manage->user);
}

enum err admin_user_put(struct call *c)
{
    struct user_manage manage = {.user_id = c->http->ids[0], .problem = &c->problem};

    c->other_user_id = manage.user_id;
    enum err err = read_manage(c, &manage);
    return err ? err : call_write(c, user_manage, encode_managed, &manage);
}
