/* What the tests of the PostgreSQL engine share: a database, and somebody who looks at it from the
 * other side, and may kill. */
#ifndef SERVERY_TESTS_STORE_POSTGRES_FIXTURE_H
#define SERVERY_TESTS_STORE_POSTGRES_FIXTURE_H

#include <libpq-fe.h>

#include "fixture.h"

struct on_server {
    struct fixture f;
    PGconn *pg;
};

/* For cmocka; *state is the struct on_server. Only where database_on_postgresql. */
int on_server_setup(void **state);
int on_server_setup_unnamed(void **state); /* without prepared statements */
int on_server_setup_small(void **state);   /* of four connections */
int on_server_teardown(void **state);

/* The first column of the first row, as a number; 0 without one. */
int64_t number(struct on_server *s, const char *sql);
void wait_until(struct on_server *s, const char *sql); /* until that is not 0 */

#define SERVERS_CONNS                                                                              \
    "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "        \
    "AND application_name LIKE 'servery%' "

/* Ends all connections of servers, and waits until they are gone. */
void kill_all(struct on_server *s);

/* The COMMIT of a new thing waits from now on for a lock that is ours. */
void hold_commits(struct on_server *s);

#endif
