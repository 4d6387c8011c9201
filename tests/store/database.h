/* Databases for the tests, each made for one of them: a file in a folder of its own, or, where
 * script/with-postgres runs the tests, a database of that cluster. */
#ifndef SERVERY_TESTS_STORE_DATABASE_H
#define SERVERY_TESTS_STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>

/* False: SQLite. */
bool database_on_postgresql(void);

/* What the setting `database` is for the database of this folder. */
void database_url(const char *dir, char *ret_url, size_t size);

/* Makes it; `migrated`: perhaps as the program's migrations leave it, which is quicker than running
 * them. An SQLite file is made by whoever opens it. */
void database_create(const char *dir, bool migrated);
void database_drop(const char *dir);

/* Runs statements on a connection of its own, as another client of the database; PostgreSQL
 * only. */
void database_run(const char *url, const char *sql);

/* Tests whose names end with this are left out on PostgreSQL. (One that is ended by cmocka's skip()
 * counts as failed where tests speak TAP.) */
#define SQLITE_ONLY " (SQLite only)"

#endif
