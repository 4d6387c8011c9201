#include "api/orders.h"

void order_line_encode(struct json_writer *w, const struct payment_line *line)
{
    json_begin_object(w, NULL);
    json_int(w, "food_id", line->food_id);
    json_str(w, "name", line->name);
    json_int(w, "unit_price", line->unit_price);
    json_int(w, "quantity", line->quantity);
    json_int(w, "line_total", line->line_total);
    json_end_object(w);
}

static void put_payment(struct json_writer *w, const struct order *order)
{
    if (!order->payment_id) {
        json_put_null(w, "payment");
        return;
    }
    json_begin_object(w, "payment");
    json_int(w, "id", order->payment_id);
    json_str(w, "status", order->payment_status);
    json_int(w, "amount", order->payment_amount);
    json_end_object(w);
}

static void put_customer(struct json_writer *w, const struct order *order)
{
    json_begin_object(w, "customer");
    json_int(w, "id", order->user_id);
    json_str(w, "name", order->customer_name);
    json_str(w, "email", order->customer_email);
    json_str(w, "phone", order->customer_phone);
    json_end_object(w);
}

void order_encode(struct json_writer *w, const char *key, const struct order *order,
                  bool with_customer)
{
    json_begin_object(w, key);
    json_int(w, "id", order->id);
    json_str(w, "status", order_status_text(order->status));
    json_begin_array(w, "items");
    for (size_t i = 0; i < order->n_lines; i++)
        order_line_encode(w, &order->lines[i]);
    json_end_array(w);
    json_int(w, "total", order->total);
    json_str(w, "currency", order->currency);
    json_str(w, "fulfilment", fulfilment_text(order->fulfilment));
    json_str(w, "address", order->address);
    json_str(w, "note", order->note);
    put_payment(w, order);
    if (with_customer)
        put_customer(w, order);
    json_int(w, "version", order->version);
    json_time(w, "created_at", order->created_at_ms);
    json_time(w, "updated_at", order->updated_at_ms);
    json_begin_array(w, "events");
    for (size_t i = 0; i < order->n_events; i++)
        order_event_encode(w, NULL, &order->events[i], false);
    json_end_array(w);
    json_end_object(w);
}

void order_event_members(struct json_writer *w, const struct order_event *event, bool with_order)
{
    json_int(w, "id", event->id);
    json_str(w, "from", event->from);
    json_str(w, "to", event->to);
    json_str(w, "actor", event->actor);
    json_str(w, "note", event->note);
    json_time(w, "at", event->at_ms);
    if (with_order) {
        json_int(w, "order_id", event->order_id);
        json_str(w, "status", event->to);
    }
}

void order_event_encode(struct json_writer *w, const char *key, const struct order_event *event,
                        bool with_order)
{
    json_begin_object(w, key);
    order_event_members(w, event, with_order);
    json_end_object(w);
}

void order_event_message(struct buf *out, const struct order_event *event)
{
    struct json_writer w;

    buf_put_cstr(out, "id: ");
    buf_put_int(out, event->id);
    buf_put_cstr(out, "\nevent: status\ndata: ");
    json_init(&w, out); /* its newlines are escaped: the data is one line */
    order_event_encode(&w, NULL, event, true);
    buf_put_cstr(out, "\n\n");
}
