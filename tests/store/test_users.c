/* What users change in their accounts and admins in all of them, and how admins find them. */
#include "account_fixture.h"

#include "base/crypto.h"

static void test_user__edits_himself(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", "+2348030000001", "AAAAAAAA");
    struct user bo = account_make(s, "bo@example.com", NULL, "BBBBBBBB");
    struct user_edit edit = {.user_id = bo.id,
                             .name = {.set = true, .value = STR("Bò")},
                             .phone = {.set = true, .value = STR("+2348030000001")},
                             .problem = &s->problem};

    assert_int_equal(shop_write(s, user_edit, &edit), ERR_PROBLEM);
    assert_problem(s, PROBLEM_PHONE_TAKEN);
    assert_null(account_get(s, bo.id).name.ptr);
    edit.phone.value = STR("+2348030000002");
    assert_int_equal(shop_write(s, user_edit, &edit), ERR_OK);
    assert_true(str_is(edit.user.name, "Bò"));
    assert_true(str_is(account_get(s, bo.id).phone, "+2348030000002"));
    /* His own phone again is not taken; a member that is not set stays. */
    edit.name = (struct opt_str){0};
    assert_int_equal(shop_write(s, user_edit, &edit), ERR_OK);
    assert_true(str_is(edit.user.name, "Bò"));
    edit.phone = (struct opt_str){.set = true, .null = true};
    assert_int_equal(shop_write(s, user_edit, &edit), ERR_OK);
    assert_null(account_get(s, bo.id).phone.ptr);
    assert_true(str_is(account_get(s, ada.id).phone, "+2348030000001"));
}

static struct user_manage manage_of(struct shop_fixture *s, int64_t user_id)
{
    return (struct user_manage){.user_id = user_id, .problem = &s->problem};
}

static void set_role(struct shop_fixture *s, int64_t user_id, enum role role)
{
    struct user_manage manage = manage_of(s, user_id);
    manage.set_role = true;
    manage.role = role;
    assert_int_equal(shop_write(s, user_manage, &manage), ERR_OK);
}

static void test_admin__last_one_stays(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada@example.com", NULL, "AAAAAAAA");
    struct user bo = account_make(s, "bo@example.com", NULL, "BBBBBBBB");
    struct user_manage demote = manage_of(s, ada.id), disable = manage_of(s, ada.id);

    set_role(s, ada.id, ROLE_ADMIN);
    demote.set_role = true;
    demote.role = ROLE_USER;
    disable.set_disabled = disable.disabled = true;
    assert_int_equal(shop_write(s, user_manage, &demote), ERR_PROBLEM);
    assert_problem(s, PROBLEM_LAST_ADMIN);
    assert_int_equal(shop_write(s, user_manage, &disable), ERR_PROBLEM);
    assert_problem(s, PROBLEM_LAST_ADMIN);

    /* A disabled admin does not count, and can be demoted. */
    set_role(s, bo.id, ROLE_ADMIN);
    struct user_manage other = manage_of(s, bo.id);
    other.set_disabled = other.disabled = true;
    assert_int_equal(shop_write(s, user_manage, &other), ERR_OK);
    assert_int_equal(shop_write(s, user_manage, &demote), ERR_PROBLEM);
    assert_problem(s, PROBLEM_LAST_ADMIN);
    set_role(s, bo.id, ROLE_USER);
    set_role(s, bo.id, ROLE_ADMIN);
    other.disabled = false;
    assert_int_equal(shop_write(s, user_manage, &other), ERR_OK);
    assert_int_equal(shop_write(s, user_manage, &demote), ERR_OK);
    assert_int_equal(account_get(s, ada.id).role, ROLE_USER);
}

static void test_admin__two_demote_each_other(void **state)
{
    struct shop_fixture *s = *state;
    struct user users[2] = {account_make(s, "ada@example.com", NULL, "AAAAAAAA"),
                            account_make(s, "bo@example.com", NULL, "BBBBBBBB")};
    struct user_manage manage[2];
    struct problem *problems = shop_problems(s, 2);
    struct writing writings[2];
    int done = 0;

    for (int i = 0; i < 2; i++)
        set_role(s, users[i].id, ROLE_ADMIN);
    for (int i = 0; i < 2; i++) {
        manage[i] = (struct user_manage){.user_id = users[1 - i].id,
                                         .set_role = true,
                                         .role = ROLE_USER,
                                         .problem = &problems[i]};
        writings[i] = (struct writing){.store = s->store, .fn = user_manage, .arg = &manage[i]};
    }
    for (int i = 0; i < 2; i++)
        writing_start(&writings[i]);
    for (int i = 0; i < 2; i++) {
        if (writing_finish(&writings[i]) == ERR_OK)
            done++;
        else
            assert_int_equal(problems[i].code, PROBLEM_LAST_ADMIN);
    }
    assert_int_equal(done, 1);
}

static void test_admin__change_ends_sessions(void **state)
{
    struct shop_fixture *s = *state;
    struct user boss = account_make(s, "boss@example.com", NULL, "CCCCCCCC");
    struct user ada = account_make(s, "ada@example.com", "+2348030000001", "AAAAAAAA");
    struct account_session session = account_session_make(s, ada.id, "ada's");
    struct user_manage manage = manage_of(s, ada.id);

    set_role(s, boss.id, ROLE_ADMIN);
    /* Nothing that matters to a session changes. */
    manage.set_role = true;
    manage.role = ROLE_USER;
    manage.clear_phone = true;
    assert_int_equal(shop_write(s, user_manage, &manage), ERR_OK);
    assert_int_equal(s->n_events, 0);
    assert_null(manage.user.phone.ptr);
    assert_true(account_is_live(s, &session));
    set_role(s, ada.id, ROLE_ADMIN);
    assert_true(account_has_event(s, STORE_EVENT_USER_END, ada.id));
    assert_false(account_is_live(s, &session));

    session = account_session_make(s, ada.id, "ada's second");
    manage = manage_of(s, ada.id);
    manage.set_disabled = manage.disabled = true;
    assert_int_equal(shop_write(s, user_manage, &manage), ERR_OK);
    assert_true(account_has_event(s, STORE_EVENT_USER_END, ada.id));
    assert_false(account_is_live(s, &session));
    manage = manage_of(s, ID_MAX);
    assert_int_equal(shop_write(s, user_manage, &manage), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOT_FOUND);
}

static void test_admin__is_made_from_nothing_or_a_user(void **state)
{
    struct shop_fixture *s = *state;
    struct user_codes codes = account_codes("AAAAAAAA");
    struct user_make_admin make = {.email = STR("Boss@example.com"),
                                   .email_key = STR("boss@example.com"),
                                   .password_hash = STR("first"),
                                   .codes = &codes,
                                   .now_ms = T0,
                                   .problem = &s->problem};

    assert_int_equal(shop_write(s, user_make_admin, &make), ERR_OK);
    assert_true(make.created);
    assert_int_equal(make.user.role, ROLE_ADMIN);
    struct user boss = account_get(s, make.user.id);
    assert_true(str_is(boss.email, "Boss@example.com"));
    assert_true(str_is(boss.password_hash, "first"));

    struct user ada = account_make(s, "ada@example.com", NULL, "BBBBBBBB");
    struct user_manage disable = manage_of(s, ada.id);
    disable.set_disabled = disable.disabled = true;
    assert_int_equal(shop_write(s, user_manage, &disable), ERR_OK);
    struct account_session session = account_session_make(s, ada.id, "ada's");
    make.email = make.email_key = STR("ada@example.com");
    make.password_hash = STR("second");
    assert_int_equal(shop_write(s, user_make_admin, &make), ERR_OK);
    assert_false(make.created);
    assert_int_equal(make.user.id, ada.id);
    assert_false(account_is_live(s, &session));
    struct user promoted = account_get(s, ada.id);
    assert_int_equal(promoted.role, ROLE_ADMIN);
    assert_false(promoted.disabled);
    assert_true(str_is(promoted.password_hash, "second"));
    assert_int_equal(account_count(s, account_n_users), 2);
}

static size_t found(struct shop_fixture *s, const char *needle)
{
    struct user_list list = {
        .needle = str_from(needle), .before_id = ID_MAX + 1, .limit = PAGE_MAX};
    assert_int_equal(shop_read_tx(s, user_list, &list), ERR_OK);
    return list.n;
}

static void test_admin__searches_users(void **state)
{
    struct shop_fixture *s = *state;
    struct user ada = account_make(s, "ada_l@example.com", "+2348030000001", "AAAAAAAA");
    account_make(s, "adazl@example.com", NULL, "BBBBBBBB");
    struct user_edit edit = {.user_id = ada.id,
                             .name = {.set = true, .value = STR("ÁDA 100%!")},
                             .problem = &s->problem};
    assert_int_equal(shop_write(s, user_edit, &edit), ERR_OK);

    assert_int_equal(found(s, NULL), 2);
    assert_int_equal(found(s, "ada"), 2);
    assert_int_equal(found(s, "ada_l"), 1);
    assert_int_equal(found(s, "áda"), 1);
    assert_int_equal(found(s, "100%"), 1);
    assert_int_equal(found(s, "%!"), 1);
    assert_int_equal(found(s, "+2348030000001"), 1);
    assert_int_equal(found(s, "%"), 1);
    assert_int_equal(found(s, "' OR 1=1"), 0);

    struct user_list list = {.before_id = ID_MAX + 1, .limit = 1};
    assert_int_equal(shop_read_tx(s, user_list, &list), ERR_OK);
    assert_int_equal(list.n, 1);
    assert_true(list.more);
    assert_true(str_is(list.users[0].email, "adazl@example.com"));
    list.before_id = list.users[0].id;
    assert_int_equal(shop_read_tx(s, user_list, &list), ERR_OK);
    assert_int_equal(list.n, 1);
    assert_false(list.more);
    assert_int_equal(list.users[0].id, ada.id);
}

static void test_user__draws_codes(void **state)
{
    struct user_codes codes;
    char text[REFERRAL_CODE_CHARS + 1];

    (void)state;
    assert_int_equal(crypto_init(), ERR_OK);
    user_codes_draw(&codes);
    for (size_t i = 0; i < USER_CODES; i++) {
        assert_true(referral_code_normalize(str_from(codes.texts[i]), text));
        assert_string_equal(text, codes.texts[i]);
    }
    assert_string_not_equal(codes.texts[0], codes.texts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_user__edits_himself),
        SHOP_TEST(test_admin__last_one_stays),
        SHOP_TEST(test_admin__two_demote_each_other),
        SHOP_TEST(test_admin__change_ends_sessions),
        SHOP_TEST(test_admin__is_made_from_nothing_or_a_user),
        SHOP_TEST(test_admin__searches_users),
        SHOP_TEST(test_user__draws_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
