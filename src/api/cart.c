/* The cart on the wire: every call answers with the whole cart at the present prices, and with the
 * open payment that waits for it. */
#include <stddef.h>

#include "api/handlers.h"
#include "api/menu.h"
#include "api/payments.h"
#include "domain/limits.h"
#include "store/cart.h"

struct cart_call {
    struct cart_edit edit;
    enum err (*change)(struct tx *tx, struct cart_edit *edit); /* NULL: only read */
    struct payment payment;                                    /* out; id 0: none is open */
    struct str currency;
};

static enum err run(struct tx *tx, void *arg)
{
    struct cart_call *call = arg;
    struct cart_edit *edit = &call->edit;
    call->payment = (struct payment){0};
    enum err err = call->change ? call->change(tx, edit)
                                : cart_read(tx, edit->user_id, edit->now_ms, &edit->cart);
    if (err || edit->cart.no_payment)
        return err;
    return payment_find_open(tx, edit->user_id, &call->payment);
}

static struct str line_problem_text(enum line_problem problem)
{
    switch (problem) {
    case LINE_OK:
        return STR_NONE;
    case LINE_UNAVAILABLE:
        return STR("unavailable");
    case LINE_OUT_OF_STOCK:
        return STR("out_of_stock");
    }
    return STR_NONE;
}

/* The sums are plain ones: prices that rose may bring a cart over MONEY_MAX, and 50 lines of 99
 * units at MONEY_MAX still are below 2^53. */
static void encode(struct call *c, void *arg)
{
    const struct cart_call *call = arg;
    const struct cart *cart = &call->edit.cart;
    struct json_writer *w = call_json(c, 200);
    int64_t total = 0;

    json_begin_object(w, NULL);
    json_begin_array(w, "items");
    for (size_t i = 0; i < cart->n; i++) {
        const struct cart_line *line = &cart->lines[i];
        int64_t line_total = line->unit_price * line->quantity;
        total += line_total;
        json_begin_object(w, NULL);
        json_int(w, "food_id", line->food_id);
        json_str(w, "name", line->name);
        image_url_encode(w, line->image_hash);
        json_int(w, "quantity", line->quantity);
        json_int(w, "unit_price", line->unit_price);
        json_int(w, "line_total", line_total);
        json_str(w, "problem", line_problem_text(cart_line_check(line)));
        json_end_object(w);
    }
    json_end_array(w);
    json_int(w, "total", total);
    json_str(w, "currency", call->currency);
    const struct payment *payment = &call->payment;
    if (payment->id && payment_is_open(payment_status_now(payment, c->now_ms)))
        payment_encode(c, w, "pending_payment", payment);
    else
        json_put_null(w, "pending_payment");
    json_end_object(w);
}

static void start(struct call *c, struct cart_call *call)
{
    call->edit.user_id = c->session.user_id;
    call->edit.now_ms = c->now_ms;
    call->edit.revision = crypto_random_id();
    call->edit.problem = &c->problem;
    struct menu_shop *shop = menu_shop(c->api->menu);
    call->currency = arena_dup(c->arena, shop->shop.currency);
    menu_shop_unref(shop);
}

static enum err write(struct call *c, struct cart_call *call)
{
    start(c, call);
    return call_write(c, run, encode, call);
}

enum err cart_get(struct call *c)
{
    struct cart_call call = {0};
    start(c, &call);
    enum err err = call_read(c, run, &call);
    if (!err)
        encode(c, &call);
    return err;
}

enum err cart_delete(struct call *c)
{
    struct cart_call call = {.change = cart_clear};
    return write(c, &call);
}

struct item_body {
    struct opt_int food_id, quantity;
};

enum err cart_items_post(struct call *c)
{
    static const struct json_field fields[] = {
        {"food_id", JSON_INT, JSON_REQUIRED, offsetof(struct item_body, food_id), 1, ID_MAX,
         PROBLEM_NONE},
        {"quantity", JSON_INT, JSON_REQUIRED, offsetof(struct item_body, quantity), 1, QUANTITY_MAX,
         PROBLEM_NONE},
    };
    struct item_body in = {0};
    enum err err = call_body(c, fields, FIELDS_N(fields), &in);
    if (err)
        return err;
    struct cart_call call = {
        .edit = {.food_id = in.food_id.value, .quantity = in.quantity.value},
        .change = cart_add,
    };
    return write(c, &call);
}

enum err cart_item_put(struct call *c)
{
    static const struct json_field fields[] = {
        {"quantity", JSON_INT, JSON_REQUIRED, offsetof(struct item_body, quantity), 0, QUANTITY_MAX,
         PROBLEM_NONE},
    };
    struct item_body in = {0};
    enum err err = call_body(c, fields, FIELDS_N(fields), &in);
    if (err)
        return err;
    struct cart_call call = {
        .edit = {.food_id = c->http->ids[0], .quantity = in.quantity.value},
        .change = cart_set,
    };
    return write(c, &call);
}

enum err cart_item_delete(struct call *c)
{
    struct cart_call call = {.edit = {.food_id = c->http->ids[0]}, .change = cart_remove};
    return write(c, &call);
}
