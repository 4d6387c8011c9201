/* What an admin says about what a payment needs: that it is done, or not after all. */
#include "store/payment_admin.h"
#include "store/payment_event.h"
#include "store/payment_row.h"

static enum err take_off(struct tx *tx, struct payment *p, int64_t now_ms)
{
    bool at_provider = p->remote && (payment_is_open(p->status) || p->status == PAYMENT_CANCELLING);

    p->needs_attention = STR_NONE;
    p->refund_due = false;
    if (!at_provider)
        return payment_save(tx, p, now_ms);
    return payment_close(
        tx, p, payment_is_open(p->status) ? PAYMENT_FAILED : payment_status_final(p, now_ms),
        now_ms);
}

static enum err put_back(struct tx *tx, struct payment *p, const struct payment_resolution *last,
                         int64_t now_ms)
{
    p->needs_attention = last->reason;
    p->refund_due = last->refund_due;
    return payment_save(tx, p, now_ms);
}

/* The note that stands: the resolution's, or one that was just written about what is open. */
static struct str last_note(const struct payment_case *found)
{
    const struct payment_event *last =
        found->n_events > 0 ? &found->events[found->n_events - 1] : NULL;
    if (found->resolved)
        return found->resolved->note;
    return last && str_is(last->what, "noted") ? last->note : STR_NONE;
}

static enum err change(struct tx *tx, struct payment_resolve *r, struct payment *p,
                       const struct payment_resolution *last)
{
    bool is_open = p->needs_attention.ptr || p->refund_due;
    bool resolve = r->resolved.set ? r->resolved.value : !is_open;
    bool same_note = !r->note.set || str_eq(r->note.value, last_note(&r->result));
    struct payment_event_new event = {
        .payment_id = p->id,
        .what = PAYMENT_EVENT_RESOLVED,
        .reason = is_open ? p->needs_attention : last->reason,
        .refund_due = is_open ? p->refund_due : last->refund_due,
        .note = r->note.value,
        .actor_id = r->actor_id,
        .at_ms = r->now_ms,
    };
    enum err err = ERR_OK;

    r->changed = resolve == is_open || !same_note;
    if (!r->changed)
        return ERR_OK;
    if (resolve && is_open)
        err = take_off(tx, p, r->now_ms);
    else if (!resolve && !is_open)
        err = put_back(tx, p, last, r->now_ms);
    if (err)
        return err;
    if (!resolve)
        event.what = is_open ? PAYMENT_EVENT_NOTED : PAYMENT_EVENT_REOPENED;
    if (event.what == PAYMENT_EVENT_NOTED) {
        event.reason = STR_NONE;
        event.refund_due = false;
    }
    return payment_event_add(tx, &event);
}

enum err payment_resolve(struct tx *tx, void *arg)
{
    struct payment_resolve *r = arg;
    struct payment_resolution last;
    struct payment p;

    r->changed = false;
    enum err err = payment_find_locked(tx, r->payment_id, &p);
    if (err)
        return err;
    if (!p.id)
        return problem_set(r->problem, PROBLEM_NOT_FOUND, NULL);
    err = payment_event_resolution(tx, p.id, &last);
    if (!err)
        err = payment_case_find(tx, p.id, &r->result);
    if (err)
        return err;
    if (r->version.set && r->version.value != r->result.version)
        return problem_printf(r->problem, PROBLEM_VERSION_CONFLICT,
                              "The payment has version %lld now.", (long long)r->result.version);
    if (!p.needs_attention.ptr && !p.refund_due && !last.resolved)
        return problem_set(r->problem, PROBLEM_NOTHING_TO_RESOLVE, NULL);
    err = change(tx, r, &p, &last);
    if (!err && r->changed)
        err = payment_case_find(tx, p.id, &r->result);
    return err;
}
