/*
 * What the tests of plugins and services share: where the test plugins are, and
 * a loop that runs until something has happened.
 */
#ifndef LT_TESTS_SUPPORT_PLUGIN_FIXTURE_H
#define LT_TESTS_SUPPORT_PLUGIN_FIXTURE_H

#include <libgen.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/json.h"
#include "base/loop.h"
#include "services/plugin/plugin_loader.h"
#include "support/test.h"

/* The folder of the test plugins of this build variant, owned (lt_free). */
static inline char *plugin_folder(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	return lt_path_join(dirname(self), "../plugins");
}

static inline char *plugin_file(const char *name)
{
	char *folder = plugin_folder();
	struct lt_buf file = { 0 };

	lt_buf_printf(&file, "%s/%s.so", folder, name);
	lt_free(folder);
	return lt_buf_steal(&file);
}

/* Runs the loop until `is_done` says so; fails the test after ten seconds. */
struct waiting {
	struct lt_loop *loop;
	bool (*is_done)(void *arg);
	void *arg;
	struct lt_timer poll, limit;
	bool timed_out;
};

static inline void waiting_poll(void *arg)
{
	struct waiting *w = arg;

	if (w->is_done(w->arg)) {
		lt_loop_stop(w->loop);
	}
}

static inline void waiting_limit(void *arg)
{
	struct waiting *w = arg;

	w->timed_out = true;
	lt_loop_stop(w->loop);
}

static inline void wait_until(struct lt_loop *loop, bool (*is_done)(void *arg), void *arg)
{
	struct waiting w = { .loop = loop, .is_done = is_done, .arg = arg };

	lt_timer_every(&w.poll, loop, 2, waiting_poll, &w);
	lt_timer_once(&w.limit, loop, 10000, waiting_limit, &w);
	lt_loop_run(loop);
	lt_timer_cancel(&w.poll);
	lt_timer_cancel(&w.limit);
	if (w.timed_out) {
		fail_msg("nothing happened for ten seconds");
	}
}

#endif
