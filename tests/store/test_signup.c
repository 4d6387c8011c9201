/* Signing up, the code, resending it, referrals: every limit at both of its sides. */
#include "account_fixture.h"

#include <stdio.h>

static void test_signup__is_pending_until_verified(void **state)
{
    struct shop_fixture *s = *state;
    struct signup_create signup = account_signup(s, "ada@example.com", "a", T0);

    assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
    assert_true(account_has_event(s, STORE_EVENT_OUTBOX, 0));
    assert_int_equal(signup.otp_expires_at_ms, T0 + OTP_LIFETIME_MS);
    assert_int_equal(signup.resend_at_ms, T0 + OTP_COOLDOWN_MS);
    assert_int_equal(account_count(s, account_n_users), 0);
    assert_int_equal(account_count(s, account_n_signups), 1);
    assert_int_equal(account_count(s, account_n_mails), 1);

    struct user_codes codes = account_codes("AAAAAAAA");
    struct signup_verify verify = account_verify(s, signup.token_hash, "123456", &codes, T0 + 1);
    assert_int_equal(shop_write(s, signup_verify, &verify), ERR_OK);
    assert_int_equal(verify.outcome, SIGNUP_VERIFIED);
    assert_true(str_is(verify.user.email, "ada@example.com"));
    assert_true(str_is(verify.user.referral_code, codes.texts[0]));
    assert_int_equal(verify.user.role, ROLE_USER);
    assert_int_equal(verify.user.created_at_ms, T0 + 1);
    assert_int_equal(verify.session_expires_at_ms, T0 + 1 + SESSION_LIFETIME_MS);
    assert_int_equal(account_count(s, account_n_users), 1);
    assert_int_equal(account_count(s, account_n_signups), 0);
    assert_int_equal(account_count(s, account_n_sessions), 1);
}

static void test_signup__code_works_once(void **state)
{
    struct shop_fixture *s = *state;
    struct signup_create signup = account_signup(s, "ada@example.com", "a", T0);
    struct user_codes codes = account_codes("AAAAAAAA");

    assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
    struct signup_verify verify = account_verify(s, signup.token_hash, "123456", &codes, T0);
    assert_int_equal(shop_write(s, signup_verify, &verify), ERR_OK);
    verify.session_token_hash = account_secret(s, "another session");
    assert_int_equal(shop_write(s, signup_verify, &verify), ERR_OK);
    assert_int_equal(verify.outcome, SIGNUP_UNKNOWN);
    assert_int_equal(verify.user.id, 0);
    assert_int_equal(account_count(s, account_n_users), 1);
    assert_int_equal(account_count(s, account_n_sessions), 1);
}

static void test_signup__refusals_in_order(void **state)
{
    struct shop_fixture *s = *state;
    account_make(s, "ada@example.com", "+2348030000001", "AAAAAAAA");
    struct signup_create signup = account_signup(s, "ada@example.com", "setup", T0);

    signup.phone = STR("+2348030000001");
    signup.referral_code = STR("ZZZZZZZZ");
    assert_int_equal(shop_read_tx(s, signup_check, &signup), ERR_PROBLEM);
    assert_problem(s, PROBLEM_REFERRAL_CODE_INVALID);
    signup.referral_code = STR_NONE;
    assert_int_equal(shop_write(s, signup_create, &signup), ERR_PROBLEM);
    assert_problem(s, PROBLEM_EMAIL_TAKEN);
    assert_int_equal(s->problem.n_rows, 2);
    assert_int_equal(s->problem.rows[1].code, PROBLEM_PHONE_TAKEN);

    /* Within the cooldown of the user's own sign-up, and yet a taken phone comes first. */
    struct signup_create other = account_signup(s, "bo@example.com", "setup", T0);
    assert_int_equal(shop_write(s, signup_create, &other), ERR_OK);
    other = account_signup(s, "bo@example.com", "setup", T0);
    other.phone = STR("+2348030000001");
    assert_int_equal(shop_write(s, signup_create, &other), ERR_PROBLEM);
    assert_problem(s, PROBLEM_PHONE_TAKEN);
    other.phone = STR_NONE;
    assert_int_equal(shop_write(s, signup_create, &other), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OTP_COOLDOWN);
    assert_int_equal(account_count(s, account_n_signups), 1);
}

static void test_signup__cooldown_limit(void **state)
{
    struct shop_fixture *s = *state;
    struct signup_create first = account_signup(s, "ada@example.com", "a", T0);
    assert_int_equal(shop_write(s, signup_create, &first), ERR_OK);

    struct signup_create again =
        account_signup(s, "ada@example.com", "a", T0 + OTP_COOLDOWN_MS - 1);
    assert_int_equal(shop_write(s, signup_create, &again), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OTP_COOLDOWN);
    assert_int_equal(s->problem.retry_after_ms, 1);
    assert_int_equal(again.resend_at_ms, T0 + OTP_COOLDOWN_MS);
    struct signup_create elsewhere = account_signup(s, "ada@example.com", "b", T0);
    assert_int_equal(shop_write(s, signup_create, &elsewhere), ERR_OK);
    again.now_ms = T0 + OTP_COOLDOWN_MS;
    assert_int_equal(shop_write(s, signup_create, &again), ERR_OK);
    assert_int_equal(account_count(s, account_n_mails), 3);
}

static void test_signup__hourly_limit_of_a_client(void **state)
{
    struct shop_fixture *s = *state;
    int64_t now_ms = T0;

    for (int i = 0; i < OTP_HOURLY_PER_EMAIL_AND_ADDRESS; i++, now_ms += OTP_COOLDOWN_MS) {
        struct signup_create signup = account_signup(s, "ada@example.com", "a", now_ms);
        assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
        bool last = i == OTP_HOURLY_PER_EMAIL_AND_ADDRESS - 1;
        assert_int_equal(signup.resend_at_ms, last ? T0 + HOUR_MS : now_ms + OTP_COOLDOWN_MS);
    }
    struct signup_create signup = account_signup(s, "ada@example.com", "a", T0 + HOUR_MS - 1);
    assert_int_equal(shop_write(s, signup_create, &signup), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OTP_COOLDOWN);
    assert_int_equal(s->problem.retry_after_ms, 1);
    signup.now_ms = T0 + HOUR_MS;
    assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
}

static void test_signup__hourly_limit_of_an_email(void **state)
{
    struct shop_fixture *s = *state;

    for (int i = 0; i < OTP_HOURLY_PER_EMAIL; i++) {
        char client[24];
        snprintf(client, sizeof(client), "client %d", i);
        struct signup_create signup = account_signup(s, "ada@example.com", client, T0 + i);
        assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
    }
    struct signup_create signup = account_signup(s, "ada@example.com", "new", T0 + HOUR_MS - 1);
    assert_int_equal(shop_write(s, signup_create, &signup), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OTP_COOLDOWN);
    signup.now_ms = T0 + HOUR_MS;
    assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
    struct signup_create other = account_signup(s, "bo@example.com", "new", T0 + HOUR_MS);
    assert_int_equal(shop_write(s, signup_create, &other), ERR_OK);
}

static void test_verify__locks_after_wrong_tries(void **state)
{
    struct shop_fixture *s = *state;
    struct signup_create signup = account_signup(s, "ada@example.com", "a", T0);
    struct user_codes codes = account_codes("AAAAAAAA");

    assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
    for (int left = OTP_ATTEMPTS_MAX - 1; left >= 0; left--) {
        struct signup_verify wrong = account_verify(s, signup.token_hash, "000000", &codes, T0);
        assert_int_equal(shop_write(s, signup_verify, &wrong), ERR_OK);
        assert_int_equal(wrong.outcome, SIGNUP_WRONG);
        assert_int_equal(wrong.attempts_left, left);
        struct signup_verify none = account_verify(s, signup.token_hash, NULL, &codes, T0);
        if (left == 0)
            break;
        assert_int_equal(shop_write(s, signup_verify, &none), ERR_OK);
        assert_int_equal(none.outcome, SIGNUP_WRONG);
        assert_int_equal(none.attempts_left, left);
    }
    struct signup_verify right = account_verify(s, signup.token_hash, "123456", &codes, T0);
    assert_int_equal(shop_write(s, signup_verify, &right), ERR_OK);
    assert_int_equal(right.outcome, SIGNUP_LOCKED);
    assert_int_equal(right.resend_at_ms, T0 + OTP_COOLDOWN_MS);
    right.now_ms = T0 + OTP_LIFETIME_MS;
    assert_int_equal(shop_write(s, signup_verify, &right), ERR_OK);
    assert_int_equal(right.outcome, SIGNUP_LOCKED);
    assert_int_equal(account_count(s, account_n_users), 0);
}

static void test_verify__last_try_can_be_right(void **state)
{
    struct shop_fixture *s = *state;
    struct signup_create signup = account_signup(s, "ada@example.com", "a", T0);
    struct user_codes codes = account_codes("AAAAAAAA");

    assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
    for (int i = 0; i < OTP_ATTEMPTS_MAX - 1; i++) {
        struct signup_verify wrong = account_verify(s, signup.token_hash, "000000", &codes, T0);
        assert_int_equal(shop_write(s, signup_verify, &wrong), ERR_OK);
    }
    struct signup_verify right = account_verify(s, signup.token_hash, "123456", &codes, T0);
    assert_int_equal(shop_write(s, signup_verify, &right), ERR_OK);
    assert_int_equal(right.outcome, SIGNUP_VERIFIED);
}

static void test_verify__expiry(void **state)
{
    struct shop_fixture *s = *state;
    struct signup_create signup = account_signup(s, "ada@example.com", "a", T0);
    struct user_codes codes = account_codes("AAAAAAAA");

    assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
    struct signup_verify verify =
        account_verify(s, signup.token_hash, "123456", &codes, T0 + OTP_LIFETIME_MS);
    assert_int_equal(shop_write(s, signup_verify, &verify), ERR_OK);
    assert_int_equal(verify.outcome, SIGNUP_EXPIRED);
    verify.now_ms = T0 + SIGNUP_LIFETIME_MS;
    assert_int_equal(shop_write(s, signup_verify, &verify), ERR_OK);
    assert_int_equal(verify.outcome, SIGNUP_UNKNOWN);
    verify.now_ms = T0 + OTP_LIFETIME_MS - 1;
    assert_int_equal(shop_write(s, signup_verify, &verify), ERR_OK);
    assert_int_equal(verify.outcome, SIGNUP_VERIFIED);
}

static void test_verify__first_of_two_wins(void **state)
{
    struct shop_fixture *s = *state;
    struct signup_create first = account_signup(s, "ada@example.com", "a", T0);
    struct signup_create second = account_signup(s, "ada@example.com", "b", T0);
    struct signup_create third = account_signup(s, "bo@example.com", "c", T0);
    struct user_codes codes = account_codes("AAAAAAAA");

    first.phone = third.phone = STR("+2348030000001");
    assert_int_equal(shop_write(s, signup_create, &first), ERR_OK);
    assert_int_equal(shop_write(s, signup_create, &second), ERR_OK);
    assert_int_equal(shop_write(s, signup_create, &third), ERR_OK);
    struct signup_verify verify = account_verify(s, first.token_hash, "123456", &codes, T0);
    assert_int_equal(shop_write(s, signup_verify, &verify), ERR_OK);
    verify = account_verify(s, second.token_hash, "123456", &codes, T0);
    assert_int_equal(shop_write(s, signup_verify, &verify), ERR_PROBLEM);
    assert_problem(s, PROBLEM_EMAIL_TAKEN);
    verify = account_verify(s, third.token_hash, "123456", &codes, T0);
    assert_int_equal(shop_write(s, signup_verify, &verify), ERR_PROBLEM);
    assert_problem(s, PROBLEM_PHONE_TAKEN);
    assert_int_equal(account_count(s, account_n_users), 1);
}

static void test_verify__referral_code_collides(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct user bo = account_make(s, "bo@example.com", NULL, "AAAAAAAA");

    assert_true(str_is(ada.referral_code, "AAAAAAA2"));
    assert_true(str_is(bo.referral_code, "AAAAAAA3"));
}

static void test_verify__sessions_at_once(void **state)
{
    /* Ten at once with the right code: one account, one session. */
    enum { N = 10 };
    struct shop_fixture *s = *state;
    struct signup_create signup = account_signup(s, "ada@example.com", "a", T0);
    struct user_codes codes = account_codes("AAAAAAAA");
    struct signup_verify verify[N];
    struct problem *problems = shop_problems(s, N);
    struct writing writings[N];
    int verified = 0;

    assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
    for (int i = 0; i < N; i++) {
        verify[i] = account_verify(s, signup.token_hash, "123456", &codes, T0);
        verify[i].problem = &problems[i];
        writings[i] = (struct writing){.store = s->store, .fn = signup_verify, .arg = &verify[i]};
    }
    for (int i = 0; i < N; i++)
        writing_start(&writings[i]);
    for (int i = 0; i < N; i++) {
        assert_int_equal(writing_finish(&writings[i]), ERR_OK);
        verified += verify[i].outcome == SIGNUP_VERIFIED;
    }
    assert_int_equal(verified, 1);
    assert_int_equal(account_count(s, account_n_users), 1);
    assert_int_equal(account_count(s, account_n_sessions), 1);
}

static void test_resend__voids_the_old_code(void **state)
{
    struct shop_fixture *s = *state;
    struct signup_create signup = account_signup(s, "ada@example.com", "a", T0);
    struct user_codes codes = account_codes("AAAAAAAA");

    assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
    struct signup_verify wrong = account_verify(s, signup.token_hash, "000000", &codes, T0);
    for (int i = 0; i < OTP_ATTEMPTS_MAX; i++)
        assert_int_equal(shop_write(s, signup_verify, &wrong), ERR_OK);

    struct signup_resend resend = {.token_hash = signup.token_hash,
                                   .otp_hash = account_secret(s, "654321"),
                                   .subject = signup.subject,
                                   .mail = signup.mail,
                                   .now_ms = T0 + OTP_COOLDOWN_MS - 1,
                                   .problem = &s->problem};
    assert_int_equal(shop_write(s, signup_resend, &resend), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OTP_COOLDOWN);
    assert_int_equal(resend.resend_at_ms, T0 + OTP_COOLDOWN_MS);
    resend.now_ms++;
    assert_int_equal(shop_write(s, signup_resend, &resend), ERR_OK);
    assert_int_equal(resend.otp_expires_at_ms, T0 + OTP_COOLDOWN_MS + OTP_LIFETIME_MS);
    assert_int_equal(resend.resend_at_ms, T0 + 2 * OTP_COOLDOWN_MS);
    assert_int_equal(account_count(s, account_n_mails), 2);

    struct signup_verify old =
        account_verify(s, signup.token_hash, "123456", &codes, resend.now_ms);
    assert_int_equal(shop_write(s, signup_verify, &old), ERR_OK);
    assert_int_equal(old.outcome, SIGNUP_WRONG);
    assert_int_equal(old.attempts_left, OTP_ATTEMPTS_MAX - 1);
    struct signup_verify new =
        account_verify(s, signup.token_hash, "654321", &codes, resend.now_ms);
    assert_int_equal(shop_write(s, signup_verify, &new), ERR_OK);
    assert_int_equal(new.outcome, SIGNUP_VERIFIED);
    assert_int_equal(shop_write(s, signup_resend, &resend), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOT_FOUND);
}

static void test_resend__mails_no_code_for_what_was_taken_meanwhile(void **state)
{
    struct shop_fixture *s = *state;
    static const struct {
        const char *email, *phone;
        enum problem_code code;
    } rows[] = {{"ada@example.com", NULL, PROBLEM_EMAIL_TAKEN},
                {"bo@example.com", "+2348030000001", PROBLEM_PHONE_TAKEN}};
    struct signup_create signups[2];

    for (int i = 0; i < 2; i++) {
        signups[i] = account_signup(s, rows[i].email, "a", T0);
        signups[i].phone = str_from(rows[i].phone);
        assert_int_equal(shop_write(s, signup_create, &signups[i]), ERR_OK);
    }
    account_make(s, "ada@example.com", "+2348030000001", "AAAAAAAA");
    int64_t mails = account_count(s, account_n_mails);
    for (int i = 0; i < 2; i++) {
        struct signup_resend resend = {.token_hash = signups[i].token_hash,
                                       .otp_hash = account_secret(s, "654321"),
                                       .subject = signups[i].subject,
                                       .mail = signups[i].mail,
                                       .now_ms = T0 + OTP_COOLDOWN_MS - 1,
                                       .problem = &s->problem};
        /* What is taken is told before the wait, which would be for nothing. */
        assert_int_equal(shop_write(s, signup_resend, &resend), ERR_PROBLEM);
        assert_problem(s, rows[i].code);
        resend.now_ms++;
        assert_int_equal(shop_write(s, signup_resend, &resend), ERR_PROBLEM);
        assert_problem(s, rows[i].code);
    }
    assert_int_equal(account_count(s, account_n_mails), mails);
}

static void test_referrals__count_once_verified(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct user_referrals referrals = {.user_id = ada.id, .before_id = ID_MAX + 1, .limit = 1};
    struct user_codes codes[2] = {account_codes("BBBBBBBB"), account_codes("CCCCCCCC")};
    static const char *const emails[2] = {"bo@example.com", "cy@example.com"};

    for (int i = 0; i < 2; i++) {
        struct signup_create signup = account_signup(s, emails[i], "a", T0);
        signup.referral_code = ada.referral_code;
        signup.name = STR("Somebody");
        assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
        assert_int_equal(shop_read_tx(s, user_referrals, &referrals), ERR_OK);
        assert_int_equal(referrals.count, i);
        struct signup_verify verify =
            account_verify(s, signup.token_hash, "123456", &codes[i], T0 + i);
        assert_int_equal(shop_write(s, signup_verify, &verify), ERR_OK);
    }
    assert_int_equal(shop_read_tx(s, user_referrals, &referrals), ERR_OK);
    assert_true(str_eq(referrals.referral_code, ada.referral_code));
    assert_int_equal(referrals.count, 2);
    assert_int_equal(referrals.n, 1);
    assert_true(referrals.more);
    assert_int_equal(referrals.items[0].joined_at_ms, T0 + 1);
    assert_true(str_is(referrals.items[0].name, "Somebody"));
    referrals.before_id = referrals.items[0].user_id;
    assert_int_equal(shop_read_tx(s, user_referrals, &referrals), ERR_OK);
    assert_int_equal(referrals.n, 1);
    assert_false(referrals.more);
    assert_int_equal(referrals.items[0].joined_at_ms, T0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_signup__is_pending_until_verified),
        SHOP_TEST(test_signup__code_works_once),
        SHOP_TEST(test_signup__refusals_in_order),
        SHOP_TEST(test_signup__cooldown_limit),
        SHOP_TEST(test_signup__hourly_limit_of_a_client),
        SHOP_TEST(test_signup__hourly_limit_of_an_email),
        SHOP_TEST(test_verify__locks_after_wrong_tries),
        SHOP_TEST(test_verify__last_try_can_be_right),
        SHOP_TEST(test_verify__expiry),
        SHOP_TEST(test_verify__first_of_two_wins),
        SHOP_TEST(test_verify__referral_code_collides),
        SHOP_TEST(test_verify__sessions_at_once),
        SHOP_TEST(test_resend__voids_the_old_code),
        SHOP_TEST(test_resend__mails_no_code_for_what_was_taken_meanwhile),
        SHOP_TEST(test_referrals__count_once_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
