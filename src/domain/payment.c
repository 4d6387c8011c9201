/* The payment state machine: money that comes in makes an order, or somebody is told. Every answer
 * here is per status and complete, so that a new status does not compile until each is given. */
#include "domain/payment.h"

#include <assert.h>

static const char *const status_texts[PAYMENT_STATUSES] = {
    [PAYMENT_CREATING] = "creating",   [PAYMENT_PENDING] = "pending",
    [PAYMENT_PAID] = "paid",           [PAYMENT_FAILED] = "failed",
    [PAYMENT_EXPIRED] = "expired",     [PAYMENT_CANCELLING] = "cancelling",
    [PAYMENT_CANCELLED] = "cancelled",
};

struct str payment_status_text(enum payment_status status)
{
    assert(status < PAYMENT_STATUSES);
    return str_from(status_texts[status]);
}

bool payment_status_parse(struct str text, enum payment_status *ret_status)
{
    for (size_t i = 0; i < PAYMENT_STATUSES; i++) {
        if (str_is(text, status_texts[i])) {
            *ret_status = (enum payment_status)i;
            return true;
        }
    }
    return false;
}

bool payment_is_open(enum payment_status status)
{
    return status == PAYMENT_CREATING || status == PAYMENT_PENDING;
}

enum payment_status payment_effective(enum payment_status stored, int64_t expires_at_ms,
                                      int64_t now_ms, bool remote)
{
    if (!payment_is_open(stored) || now_ms < expires_at_ms)
        return stored;
    return remote ? PAYMENT_CANCELLING : PAYMENT_EXPIRED;
}

enum payment_action payment_on_paid(enum payment_status effective, bool matches)
{
    if (!matches)
        return PAYMENT_FLAG;
    switch (effective) {
    case PAYMENT_CREATING:
    case PAYMENT_PENDING:
    case PAYMENT_CANCELLING: /* the hold is kept until the provider confirms the end */
        return PAYMENT_ORDER;
    case PAYMENT_PAID:
        return PAYMENT_IGNORE;
    case PAYMENT_FAILED:
    case PAYMENT_EXPIRED:
        return PAYMENT_ORDER_IF_POSSIBLE;
    case PAYMENT_CANCELLED: /* the customer gave it up: an order would surprise him */
        return PAYMENT_FLAG;
    case PAYMENT_STATUSES:
        break;
    }
    assert(false);
    return PAYMENT_FLAG;
}

enum payment_action payment_on_failed(enum payment_status effective)
{
    switch (effective) {
    case PAYMENT_CREATING:
    case PAYMENT_PENDING:
        return PAYMENT_FAIL;
    case PAYMENT_CANCELLING:
        return PAYMENT_CONFIRM_CANCEL;
    case PAYMENT_PAID: /* news that overtook each other; what is paid stays paid */
    case PAYMENT_FAILED:
    case PAYMENT_EXPIRED:
    case PAYMENT_CANCELLED:
        return PAYMENT_IGNORE;
    case PAYMENT_STATUSES:
        break;
    }
    assert(false);
    return PAYMENT_IGNORE;
}

enum err payment_simulate_check(enum payment_status effective, struct str outcome_before,
                                struct str outcome, bool *ret_again, struct problem *problem)
{
    if (!str_is(outcome, "paid") && !str_is(outcome, "failed"))
        return problem_add(problem, "outcome", PROBLEM_INVALID_VALUE, "paid or failed");
    bool again = outcome_before.ptr && str_eq(outcome, outcome_before);
    switch (effective) {
    case PAYMENT_CREATING:
    case PAYMENT_PENDING: /* an outcome may be given already, and its news still be on the way */
        if (!again && outcome_before.ptr)
            return problem_set(problem, PROBLEM_PAYMENT_CONFLICT, NULL);
        break;
    case PAYMENT_PAID: /* perhaps by an admin's word, without an outcome */
    case PAYMENT_FAILED:
        again = again || str_eq(outcome, payment_status_text(effective));
        if (!again)
            return problem_set(problem, PROBLEM_PAYMENT_CONFLICT, NULL);
        break;
    case PAYMENT_EXPIRED:
    case PAYMENT_CANCELLING:
    case PAYMENT_CANCELLED:
        break;
    case PAYMENT_STATUSES:
        assert(false);
    }
    *ret_again = again;
    return ERR_OK;
}
