/* Log-ins, sessions and passwords: who may try how often, and what ends what. */
#include "account_fixture.h"
#include "store/login.h"
#include "store/reset.h"

#include <stdio.h>

/* ---- Log-in ---- */

static struct login login_of(struct shop_fixture *s, const char *email, const char *client,
                             int64_t now_ms)
{
    return (struct login){.email_key = str_from(email),
                          .subject = account_subject(s, email, client),
                          .session_token_hash = account_secret(s, "log-in session"),
                          .now_ms = now_ms,
                          .problem = &s->problem};
}

static void fail_login(struct shop_fixture *s, struct attempt_subject who, int64_t now_ms)
{
    struct login_failure failure = {.subject = who, .now_ms = now_ms};
    assert_int_equal(shop_write(s, login_fail, &failure), ERR_OK);
    assert_int_equal(failure.retry_after_ms, 0);
}

static void test_login__whose_hash(void **state)
{
    struct shop_fixture *s = *state;
    struct login login = login_of(s, "ada@example.com", "a", T0 + 1);

    assert_int_equal(shop_read_tx(s, login_find, &login), ERR_OK);
    assert_int_equal(login.user_id, 0);
    assert_false(login.pending);
    assert_null(login.password_hash.ptr);

    struct signup_create older = account_signup(s, "ada@example.com", "b", T0);
    struct signup_create newer = account_signup(s, "ada@example.com", "c", T0);
    newer.password_hash = STR("hash of the newest sign-up");
    newer.phone = STR("+2348030000001");
    assert_int_equal(shop_write(s, signup_create, &older), ERR_OK);
    assert_int_equal(shop_write(s, signup_create, &newer), ERR_OK);
    assert_int_equal(shop_read_tx(s, login_find, &login), ERR_OK);
    assert_true(login.pending);
    assert_true(str_is(login.password_hash, "hash of the newest sign-up"));
    struct login by_phone = login_of(s, NULL, "a", T0 + 1);
    by_phone.phone = STR("+2348030000001");
    assert_int_equal(shop_read_tx(s, login_find, &by_phone), ERR_OK);
    assert_true(by_phone.pending);
    by_phone.now_ms = T0 + SIGNUP_LIFETIME_MS;
    assert_int_equal(shop_read_tx(s, login_find, &by_phone), ERR_OK);
    assert_false(by_phone.pending);

    struct user_codes codes = account_codes("AAAAAAAA");
    struct signup_verify verify = account_verify(s, older.token_hash, "123456", &codes, T0);
    assert_int_equal(shop_write(s, signup_verify, &verify), ERR_OK);
    assert_int_equal(shop_read_tx(s, login_find, &login), ERR_OK);
    assert_int_equal(login.user_id, verify.user.id);
    assert_false(login.pending);
    assert_true(str_is(login.password_hash, "hash of the sign-up"));
}

static void test_login__completes(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", "+2348030000001", "AAAAAAAA");
    struct login login = login_of(s, NULL, "a", T0);

    login.phone = STR("+2348030000001");
    assert_int_equal(shop_read_tx(s, login_find, &login), ERR_OK);
    assert_int_equal(login.user_id, ada.id);
    assert_int_equal(shop_write(s, login_complete, &login), ERR_OK);
    assert_int_equal(login.user.id, ada.id);
    assert_int_equal(login.session_expires_at_ms, T0 + SESSION_LIFETIME_MS);
    assert_int_equal(account_count(s, account_n_sessions), 2);
}

static void test_login__refused_when_it_changed_meanwhile(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct login login = login_of(s, "ada@example.com", "a", T0);
    struct user_manage disable = {
        .user_id = ada.id, .set_disabled = true, .disabled = true, .problem = &s->problem};

    assert_int_equal(shop_read_tx(s, login_find, &login), ERR_OK);
    struct login changed = login;
    changed.password_hash = STR("an older hash");
    assert_int_equal(shop_write(s, login_complete, &changed), ERR_PROBLEM);
    assert_problem(s, PROBLEM_INVALID_CREDENTIALS);
    assert_int_equal(shop_write(s, user_manage, &disable), ERR_OK);
    assert_int_equal(shop_write(s, login_complete, &login), ERR_PROBLEM);
    assert_problem(s, PROBLEM_ACCOUNT_DISABLED);
    assert_int_equal(account_count(s, account_n_sessions), 0);
}

static void test_login__failures_of_a_client(void **state)
{
    struct shop_fixture *s = *state;
    account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct login login = login_of(s, "ada@example.com", "a", T0);
    struct login elsewhere = login_of(s, "ada@example.com", "b", T0);

    for (int i = 0; i < LOGIN_FAILURES_PER_MINUTE; i++) {
        assert_int_equal(shop_read_tx(s, login_find, &login), ERR_OK);
        fail_login(s, login.subject, T0 + i);
    }
    int64_t attempts = account_count(s, account_n_attempts);
    login.now_ms = T0 + MINUTE_MS - 1;
    assert_int_equal(shop_read_tx(s, login_find, &login), ERR_PROBLEM);
    assert_problem(s, PROBLEM_RATE_LIMITED);
    assert_int_equal(s->problem.retry_after_ms, 1);
    /* One whose password was compared before the others failed. */
    struct login_failure late = {.subject = login.subject, .now_ms = T0 + MINUTE_MS - 1};
    assert_int_equal(shop_write(s, login_fail, &late), ERR_OK);
    assert_int_equal(late.retry_after_ms, 1);
    assert_int_equal(account_count(s, account_n_attempts), attempts);
    assert_int_equal(shop_read_tx(s, login_find, &elsewhere), ERR_OK);
    login.user_id = elsewhere.user_id;
    login.password_hash = elsewhere.password_hash;
    assert_int_equal(shop_write(s, login_complete, &login), ERR_PROBLEM);
    assert_problem(s, PROBLEM_RATE_LIMITED);
    login.now_ms = T0 + MINUTE_MS;
    assert_int_equal(shop_write(s, login_complete, &login), ERR_OK);
}

static void test_login__failures_of_an_identifier(void **state)
{
    struct shop_fixture *s = *state;
    struct login login = login_of(s, "nobody@example.com", "new", T0 + HOUR_MS - 1);

    for (int i = 0; i < LOGIN_FAILURES_PER_HOUR; i++) {
        char client[24];
        snprintf(client, sizeof(client), "client %d", i);
        fail_login(s, account_subject(s, "nobody@example.com", client), T0 + i);
    }
    assert_int_equal(shop_read_tx(s, login_find, &login), ERR_PROBLEM);
    assert_problem(s, PROBLEM_RATE_LIMITED);
    login.now_ms++;
    assert_int_equal(shop_read_tx(s, login_find, &login), ERR_OK);
}

/* Who tries one password on many identifiers. */
static void test_login__failures_of_an_address(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct login login = login_of(s, "ada@example.com", "a", T0);
    struct login elsewhere = login_of(s, "ada@example.com", "b", T0);

    /* Successes are not counted. */
    for (int i = 0; i < LOGIN_FAILURES_PER_ADDRESS_PER_MINUTE; i++) {
        login.session_token_hash = arena_printf(s->arena, "session %d", i);
        assert_int_equal(shop_read_tx(s, login_find, &login), ERR_OK);
        assert_int_equal(shop_write(s, login_complete, &login), ERR_OK);
    }
    struct attempt_subject last = {0};
    for (int i = 0; i < LOGIN_FAILURES_PER_ADDRESS_PER_MINUTE; i++) {
        char who[24];
        snprintf(who, sizeof(who), "nobody %d", i);
        assert_int_equal(shop_read_tx(s, login_find, &login), ERR_OK);
        last = account_subject(s, who, "a");
        fail_login(s, last, T0 + i);
    }
    login.now_ms = elsewhere.now_ms = T0 + MINUTE_MS - 1;
    assert_int_equal(shop_read_tx(s, login_find, &login), ERR_PROBLEM);
    assert_problem(s, PROBLEM_RATE_LIMITED);
    assert_int_equal(s->problem.retry_after_ms, 1);
    assert_int_equal(shop_read_tx(s, login_find, &elsewhere), ERR_OK);
    assert_int_equal(elsewhere.user_id, ada.id);
    /* Those whose passwords were compared beside the others, wrong and right. */
    struct login_failure late = {.subject = last, .now_ms = T0 + MINUTE_MS - 1};
    assert_int_equal(shop_write(s, login_fail, &late), ERR_OK);
    assert_int_equal(late.retry_after_ms, 1);
    login.user_id = ada.id;
    login.password_hash = ada.password_hash;
    login.session_token_hash = STR("one more session");
    assert_int_equal(shop_write(s, login_complete, &login), ERR_PROBLEM);
    assert_problem(s, PROBLEM_RATE_LIMITED);
    login.now_ms++;
    assert_int_equal(shop_write(s, login_complete, &login), ERR_OK);
}

/* ---- Sessions ---- */

static enum err find_session_by_id(struct tx *tx, void *arg)
{
    struct account_session *l = arg;
    return session_find_by_id(tx, l->id, l->user_id, l->now_ms, &l->session);
}

static enum err touch_session(struct tx *tx, void *arg)
{
    const struct account_session *l = arg;
    return session_touch(tx, l->id, l->now_ms);
}

static enum err end_session(struct tx *tx, void *arg)
{
    const struct account_session *l = arg;
    return session_end(tx, l->id);
}

static void test_session__slides_and_expires(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct account_session l = account_session_make(s, ada.id, "ada's");

    l.now_ms = T0 + SESSION_LIFETIME_MS - 1;
    assert_true(account_is_live(s, &l));
    assert_int_equal(l.session.user_id, ada.id);
    assert_int_equal(l.session.role, ROLE_USER);
    assert_int_equal(l.session.used_at_ms, T0);
    l.now_ms++;
    assert_false(account_is_live(s, &l));
    assert_int_equal(shop_read_tx(s, find_session_by_id, &l), ERR_OK);
    assert_int_equal(l.session.id, 0);
    l.now_ms = T0 + SESSION_TOUCH_MS;
    assert_int_equal(shop_write(s, touch_session, &l), ERR_OK);
    l.now_ms = T0 + SESSION_TOUCH_MS + SESSION_LIFETIME_MS - 1;
    assert_true(account_is_live(s, &l));
}

/* A write that waited while its session ended found the next one, of whoever logged in. */
static void test_session__an_id_is_never_used_again(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct user bob = account_make(s, "bob@example.com", NULL, "BBBBBBBB");
    struct account_session ended = account_session_make(s, ada.id, "ada's");

    assert_int_equal(shop_write(s, end_session, &ended), ERR_OK);
    struct account_session next = account_session_make(s, bob.id, "bob's");
    assert_true(next.id > ended.id);
    assert_int_equal(shop_read_tx(s, find_session_by_id, &ended), ERR_OK);
    assert_int_equal(ended.session.id, 0);
}

static void test_session__is_found_only_with_its_user(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct user bob = account_make(s, "bob@example.com", NULL, "BBBBBBBB");
    struct account_session l = account_session_make(s, ada.id, "ada's");

    assert_int_equal(shop_read_tx(s, find_session_by_id, &l), ERR_OK);
    assert_int_equal(l.session.id, l.id);
    l.user_id = bob.id;
    assert_int_equal(shop_read_tx(s, find_session_by_id, &l), ERR_OK);
    assert_int_equal(l.session.id, 0);
}

static void test_session__ends(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct account_session l = account_session_make(s, ada.id, "ada's");

    assert_int_equal(shop_write(s, end_session, &l), ERR_OK);
    assert_int_equal(s->n_events, 1);
    assert_int_equal(s->events[0].kind, STORE_EVENT_SESSION_END);
    assert_int_equal(s->events[0].id, l.id);
    assert_false(account_is_live(s, &l));
    /* Ended already: nothing to say against it. */
    assert_int_equal(shop_write(s, end_session, &l), ERR_OK);
    assert_int_equal(shop_write(s, touch_session, &l), ERR_OK);
}

/* ---- Passwords ---- */

static struct password_change change_of(struct shop_fixture *s,
                                        const struct account_session *session)
{
    return (struct password_change){.user_id = session->user_id,
                                    .session_id = session->id,
                                    .subject = account_subject(s, "user", "a"),
                                    .new_hash = STR("new hash"),
                                    .now_ms = T0,
                                    .problem = &s->problem};
}

static struct reset_request reset_of(struct shop_fixture *s, const char *email, const char *token,
                                     int64_t now_ms)
{
    return (struct reset_request){
        .email_key = str_from(email),
        .token_hash = account_secret(s, token),
        .subject = account_subject(s, email, "a"),
        .mail = {.subject = STR("reset"), .sealed_body = STR("x")},
        .now_ms = now_ms,
    };
}

static int64_t find_reset(struct shop_fixture *s, const char *token, int64_t now_ms)
{
    struct reset_find find = {.token_hash = account_secret(s, token), .now_ms = now_ms};
    assert_int_equal(shop_read_tx(s, reset_find, &find), ERR_OK);
    return find.user_id;
}

static void test_password__change_keeps_one_session(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct account_session mine = account_session_make(s, ada.id, "mine"),
                           other = account_session_make(s, ada.id, "other");
    struct password_change change = change_of(s, &mine);
    struct reset_request reset = reset_of(s, "ada@example.com", "link", T0);

    assert_int_equal(shop_write(s, reset_request, &reset), ERR_OK);
    assert_int_equal(find_reset(s, "link", T0), ada.id);
    assert_int_equal(shop_read_tx(s, password_find, &change), ERR_OK);
    assert_true(str_is(change.password_hash, "hash of the sign-up"));
    assert_int_equal(shop_write(s, password_change, &change), ERR_OK);
    assert_int_equal(s->n_events, 1);
    assert_int_equal(s->events[0].kind, STORE_EVENT_USER_END);
    assert_int_equal(s->events[0].user_id, ada.id);
    assert_int_equal(s->events[0].id, mine.id);
    assert_true(account_is_live(s, &mine));
    assert_false(account_is_live(s, &other));
    assert_true(str_is(account_get(s, ada.id).password_hash, "new hash"));
    assert_int_equal(find_reset(s, "link", T0), 0);

    /* What was compared is no longer the password. */
    assert_int_equal(shop_write(s, password_change, &change), ERR_PROBLEM);
    assert_problem(s, PROBLEM_PASSWORD_WRONG);
}

static void test_password__guessing_is_limited(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct account_session mine = account_session_make(s, ada.id, "mine");
    struct password_change change = change_of(s, &mine);

    assert_int_equal(shop_read_tx(s, password_find, &change), ERR_OK);
    for (int i = 0; i < LOGIN_FAILURES_PER_MINUTE; i++)
        fail_login(s, change.subject, T0);
    assert_int_equal(shop_write(s, password_change, &change), ERR_PROBLEM);
    assert_problem(s, PROBLEM_RATE_LIMITED);
    assert_int_equal(shop_read_tx(s, password_find, &change), ERR_PROBLEM);
    assert_problem(s, PROBLEM_RATE_LIMITED);
}

static void test_reset__works_once(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct account_session session = account_session_make(s, ada.id, "mine");
    int64_t mails = account_count(s, account_n_mails);
    struct reset_request request = reset_of(s, "ada@example.com", "link", T0);
    struct reset_request second = reset_of(s, "ada@example.com", "link 2", T0 + OTP_COOLDOWN_MS);

    assert_int_equal(shop_write(s, reset_request, &request), ERR_OK);
    assert_int_equal(shop_write(s, reset_request, &second), ERR_OK);
    assert_int_equal(account_count(s, account_n_mails), mails + 2);
    assert_int_equal(find_reset(s, "link", T0 + RESET_LIFETIME_MS - 1), ada.id);
    assert_int_equal(find_reset(s, "link", T0 + RESET_LIFETIME_MS), 0);
    struct reset_confirm confirm = {.user_id = ada.id,
                                    .token_hash = request.token_hash,
                                    .password_hash = STR("new hash"),
                                    .now_ms = T0 + RESET_LIFETIME_MS,
                                    .problem = &s->problem};
    assert_int_equal(shop_write(s, reset_confirm, &confirm), ERR_PROBLEM);
    assert_problem(s, PROBLEM_TOKEN_EXPIRED);
    confirm.now_ms--;
    assert_int_equal(shop_write(s, reset_confirm, &confirm), ERR_OK);
    assert_true(account_has_event(s, STORE_EVENT_USER_END, ada.id));
    assert_false(account_is_live(s, &session));
    assert_true(str_is(account_get(s, ada.id).password_hash, "new hash"));
    assert_int_equal(shop_write(s, reset_confirm, &confirm), ERR_PROBLEM);
    assert_problem(s, PROBLEM_TOKEN_EXPIRED);
    assert_int_equal(find_reset(s, "link 2", T0 + OTP_COOLDOWN_MS), 0);
}

static void test_reset__tells_nothing_and_is_limited(void **state)
{
    struct shop_fixture *s = *state;
    account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    int64_t mails = account_count(s, account_n_mails),
            attempts = account_count(s, account_n_attempts);
    struct reset_request unknown = reset_of(s, "nobody@example.com", "a", T0);
    struct reset_request known = reset_of(s, "ada@example.com", "b", T0);

    assert_int_equal(shop_write(s, reset_request, &unknown), ERR_OK);
    assert_int_equal(account_count(s, account_n_mails), mails);
    assert_int_equal(account_count(s, account_n_attempts), attempts + 2);
    assert_int_equal(shop_write(s, reset_request, &known), ERR_OK);
    assert_int_equal(account_count(s, account_n_mails), mails + 1);
    known.token_hash = account_secret(s, "c");
    known.now_ms = T0 + OTP_COOLDOWN_MS - 1;
    assert_int_equal(shop_write(s, reset_request, &known), ERR_OK);
    assert_int_equal(account_count(s, account_n_mails), mails + 1);
    known.now_ms++;
    assert_int_equal(shop_write(s, reset_request, &known), ERR_OK);
    assert_int_equal(account_count(s, account_n_mails), mails + 2);
}

/* The rows that only a user's request wrote could be heard in the answer's time. */
static void test_reset__writes_for_nobody_as_for_a_user(void **state)
{
    struct shop_fixture *s = *state;
    static const char n_resets[] = "SELECT COUNT(*) FROM password_resets";
    struct reset_request unknown = reset_of(s, "nobody@example.com", "a", T0);
    struct reset_request known = reset_of(s, "ada@example.com", "b", T0);

    /* In a shop without users there is nothing to hide. */
    assert_int_equal(shop_write(s, reset_request, &unknown), ERR_OK);
    account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    int64_t mails = account_count(s, account_n_mails);
    assert_int_equal(shop_write(s, reset_request, &known), ERR_OK);
    assert_true(account_has_event(s, STORE_EVENT_OUTBOX, 0));
    unknown = reset_of(s, "nobody@example.com", "c", T0 + OTP_COOLDOWN_MS);
    unknown.mail.sealed_body = STR("another");
    s->n_events = 0;
    assert_int_equal(shop_write(s, reset_request, &unknown), ERR_OK);
    assert_true(account_has_event(s, STORE_EVENT_OUTBOX, 0));
    assert_int_equal(find_reset(s, "c", T0 + OTP_COOLDOWN_MS), 0);
    assert_int_equal(account_count(s, n_resets), 1);
    assert_int_equal(account_count(s, account_n_mails), mails + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_login__whose_hash),
        SHOP_TEST(test_login__completes),
        SHOP_TEST(test_login__refused_when_it_changed_meanwhile),
        SHOP_TEST(test_login__failures_of_a_client),
        SHOP_TEST(test_login__failures_of_an_identifier),
        SHOP_TEST(test_login__failures_of_an_address),
        SHOP_TEST(test_session__slides_and_expires),
        SHOP_TEST(test_session__an_id_is_never_used_again),
        SHOP_TEST(test_session__is_found_only_with_its_user),
        SHOP_TEST(test_session__ends),
        SHOP_TEST(test_password__change_keeps_one_session),
        SHOP_TEST(test_password__guessing_is_limited),
        SHOP_TEST(test_reset__works_once),
        SHOP_TEST(test_reset__tells_nothing_and_is_limited),
        SHOP_TEST(test_reset__writes_for_nobody_as_for_a_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
