/*
 * A timing service at the control desk: takes orders, as a procedure
 * (livetiming.service.desk.UUID, [order, {parameters}]), lays the overrides over
 * what the feed says, and keeps them in STATE_DIR/UUID.desk.json. An order is
 * answered when it is in the file. Orders: overrides.h, and
 *
 *   message text | endSession | show
 */
#include "services/timing/timing_desk.h"

#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/table.h"
#include "race/message.h"
#include "router/local.h"
#include "services/desk/overrides.h"
#include "services/timing/timing_priv.h"

#define FILE_MAX_BYTES    (256 * 1024)
#define DESK_MESSAGES_MAX 100
#define PENDING_MAX       100 /* orders whose file is being written */

/* An order that is carried out, and not yet in the file. */
struct pending {
	struct lt_timing_desk *desk;
	uint64_t invocation;
	struct lt_saver_waiter waiter;
	struct pending *prev, *next;
};

struct lt_timing_desk {
	struct lt_timing *timing;
	struct lt_overrides *overrides;
	char *path;       /* NULL: not kept */
	cJSON *originals; /* {option: text before the first change, or null} */
	cJSON *messages;  /* of the desk, newest first: for feeds that bring their own lists */
	bool feed_replaces;
	struct pending *pending;
	size_t pending_count;
};

/* --- life --- */

static void read_file(struct lt_timing_desk *desk)
{
	const struct lt_timing *timing = desk->timing;
	struct lt_err err = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *file = NULL;

	if (access(desk->path, F_OK) != 0) {
		return;
	}
	file = lt_json_parse_file(desk->path, FILE_MAX_BYTES, &err);
	if (!file || !lt_overrides_read(desk->overrides, file, &err)) {
		lt_log(&timing->log, LT_ERROR, "overrides not used, set aside",
				"path=%s reason=\"%s\"", desk->path, err.msg);
		LT_AUTO(lt_buf_finish) struct lt_buf aside = { 0 };

		lt_buf_printf(&aside, "%s.broken", desk->path);
		(void)!rename(desk->path, aside.p);
	}
}

struct lt_timing_desk *lt_timing_desk_create(
		struct lt_timing *timing, const struct lt_timing_opts *opts, const char *state_dir)
{
	struct lt_timing_desk *desk = lt_zalloc(sizeof(*desk));

	desk->timing = timing;
	desk->overrides = lt_overrides_create();
	desk->originals = cJSON_CreateObject();
	desk->messages = cJSON_CreateArray();
	if (!opts->args->no_write_state) {
		LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

		lt_buf_printf(&name, "%s.desk.json", timing->uuid);
		desk->path = lt_path_join(state_dir, name.p);
		if (opts->keeps_overrides) {
			read_file(desk);
		} else {
			unlink(desk->path); /* of an earlier service with this UUID */
		}
	}
	if (opts->args->is_private && !lt_json_get(lt_overrides_json(desk->overrides), "private")) {
		lt_overrides_order(desk->overrides, "private", NULL, 0, NULL);
	}
	return desk;
}

static void free_pending(struct pending *pending)
{
	DL_DELETE(pending->desk->pending, pending);
	pending->desk->pending_count--;
	lt_free(pending);
}

void lt_timing_desk_leave(struct lt_timing_desk *desk)
{
	while (desk && desk->pending) {
		lt_saver_forget(desk->timing->env.saver, &desk->pending->waiter);
		free_pending(desk->pending);
	}
}

void lt_timing_desk_destroy(struct lt_timing_desk *desk)
{
	if (desk) {
		lt_timing_desk_leave(desk);
		lt_overrides_destroy(desk->overrides);
		cJSON_Delete(desk->originals);
		cJSON_Delete(desk->messages);
		lt_free(desk->path);
		lt_free(desk);
	}
}

bool lt_timing_desk_is_private(const struct lt_timing_desk *desk)
{
	return cJSON_IsTrue(lt_json_get(lt_overrides_json(desk->overrides), "private"));
}

const cJSON *lt_timing_desk_overrides(const struct lt_timing_desk *desk)
{
	return lt_overrides_json(desk->overrides);
}

/* --- laying over --- */

void lt_timing_desk_on_manifest(const struct lt_timing_desk *desk, cJSON *manifest)
{
	lt_overrides_on_manifest(desk->overrides, manifest);
}

void lt_timing_desk_on_state(struct lt_timing_desk *desk, cJSON *state)
{
	lt_overrides_on_state(desk->overrides, state);
}

/* Messages of the desk in front of those of a state that has its own list. */
void lt_timing_desk_on_replaced(struct lt_timing_desk *desk, cJSON *state)
{
	cJSON *messages = lt_json_get(state, "messages");
	const cJSON *message;
	int at = 0;

	desk->feed_replaces = true;
	lt_overrides_on_state(desk->overrides, state);
	if (!cJSON_IsArray(messages)) {
		return;
	}
	cJSON_ArrayForEach(message, desk->messages) {
		cJSON_InsertItemInArray(messages, at++, cJSON_Duplicate(message, true));
	}
	while (cJSON_GetArraySize(messages) > LT_MESSAGES_MAX) {
		cJSON_DeleteItemFromArray(messages, LT_MESSAGES_MAX);
	}
}

static void remember_original(struct lt_timing_desk *desk, const struct lt_option_values *values,
		const char *name)
{
	const struct lt_option_value *value = lt_option_values_get(values, name);

	if (!value || lt_json_get(desk->originals, name)) {
		return;
	}
	if (value->text) {
		lt_json_add_c(desk->originals, name, value->text);
	} else if (value->given) {
		lt_json_add_c(desk->originals, name, value->flag ? "yes" : "no");
	} else {
		lt_json_set_take(desk->originals, name, cJSON_CreateNull());
	}
}

void lt_timing_desk_on_options(struct lt_timing_desk *desk, struct lt_option_values *values)
{
	const cJSON *option;

	cJSON_ArrayForEach(option, lt_json_get(lt_overrides_json(desk->overrides), "options")) {
		struct lt_err err = { 0 };

		remember_original(desk, values, option->string);
		if (!lt_option_values_change(values, lt_str_from(option->string),
				    lt_str_from(option->valuestring), &err)) {
			lt_log(&desk->timing->log, LT_WARN,
					"an operator's option is not used any more",
					"reason=\"%s\"", err.msg);
		}
	}
}

/* --- orders --- */

/* A state without, then with the overrides of now; with these messages. */
static void renew_state(struct lt_timing_desk *desk, cJSON *bare_take, cJSON *messages_take)
{
	lt_overrides_on_state(desk->overrides, bare_take);
	lt_timing_relay_take(desk->timing, bare_take, messages_take);
}

static cJSON *bare_state(const struct lt_timing_desk *desk)
{
	cJSON *state = cJSON_Duplicate(desk->timing->state, true);

	lt_overrides_off_state(desk->overrides, state);
	return state;
}

static void say_take(struct lt_timing_desk *desk, cJSON *bare_take, cJSON *message)
{
	cJSON *messages = cJSON_CreateArray();

	cJSON_InsertItemInArray(desk->messages, 0, cJSON_Duplicate(message, true));
	if (cJSON_GetArraySize(desk->messages) > DESK_MESSAGES_MAX) {
		cJSON_DeleteItemFromArray(desk->messages, DESK_MESSAGES_MAX);
	}
	if (desk->timing->begins_session) {
		/* the first update of the session throws away what was before it */
		cJSON_AddItemToArray(desk->timing->messages, message);
	} else {
		cJSON_AddItemToArray(messages, message);
	}
	renew_state(desk, bare_take, messages);
}

static int64_t now_s(const struct lt_timing_desk *desk)
{
	return lt_wall_s(lt_loop_wall(desk->timing->env.loop));
}

static bool text_of(const cJSON *params, const char *key, struct lt_str *ret, struct lt_err *err)
{
	const cJSON *value = lt_json_get(params, key);

	if (!cJSON_IsString(value)) {
		return lt_err_set(err, LT_E_INVALID, "%s: a text is missing", key);
	}
	*ret = lt_str_from(value->valuestring);
	return true;
}

static bool run_message(struct lt_timing_desk *desk, const cJSON *params, struct lt_err *err)
{
	struct lt_str text;

	if (!text_of(params, "text", &text, err) ||
			!lt_overrides_check_text("text", text, LT_DESK_TEXT_MAX, err)) {
		return false;
	}
	say_take(desk, bare_state(desk), lt_message_race_control(text, now_s(desk)));
	return true;
}

static bool cell_is(const cJSON *cell, struct lt_str text)
{
	char number[32];

	if (cJSON_IsNumber(cell)) {
		snprintf(number, sizeof(number), "%.0f", cell->valuedouble);
		return lt_str_eq_c(text, number);
	}
	return cJSON_IsString(cell) && lt_str_eq_c(text, cell->valuestring);
}

/* The column of the car's number, or the first. */
static int number_column(const cJSON *manifest)
{
	const cJSON *column;
	int at = 0;

	cJSON_ArrayForEach(column, lt_json_get(manifest, "colSpec")) {
		const cJSON *title = cJSON_GetArrayItem(column, 0);

		if (cJSON_IsString(title) && strcmp(title->valuestring, "Num") == 0) {
			return at;
		}
		at++;
	}
	return 0;
}

static bool has_car(const struct lt_timing *timing, struct lt_str car)
{
	int column = number_column(timing->manifest);
	const cJSON *row;

	cJSON_ArrayForEach(row, lt_json_get(timing->state, "cars")) {
		if (cell_is(cJSON_GetArrayItem(row, column), car)) {
			return true;
		}
	}
	return false;
}

static bool run_penalty(struct lt_timing_desk *desk, const cJSON *params, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *bare = bare_state(desk);
	struct lt_str car, text;
	char quoted[LT_QUOTE_MAX];

	if (!text_of(params, "car", &car, err) || !text_of(params, "text", &text, err)) {
		return false;
	}
	if (!has_car(desk->timing, car)) {
		return lt_err_set(err, LT_E_NOT_FOUND, "there is no car %s",
				lt_str_quote(car, quoted));
	}
	if (!lt_overrides_order(desk->overrides, "penalty", params,
			    lt_wall_ms(lt_loop_wall(desk->timing->env.loop)), err)) {
		return false;
	}
	say_take(desk, LT_STEAL(bare), lt_overrides_penalty_message(car, text, now_s(desk)));
	return true;
}

static bool run_option(struct lt_timing_desk *desk, const cJSON *params, struct lt_err *err)
{
	struct lt_host *host = desk->timing->host;
	struct lt_str name, value;

	if (!text_of(params, "name", &name, err) || !text_of(params, "value", &value, err)) {
		return false;
	}
	LT_AUTO(lt_free) char *key = lt_str_dup(name);

	remember_original(desk, lt_host_options(host), key);
	return lt_host_change_option(host, name, value, err) &&
			lt_overrides_order(desk->overrides, "option", params, 0, err);
}

/* The values of the command line again. */
static void give_options_back(struct lt_timing_desk *desk)
{
	const cJSON *option;

	cJSON_ArrayForEach(option, lt_json_get(lt_overrides_json(desk->overrides), "options")) {
		const cJSON *original = lt_json_get(desk->originals, option->string);
		struct lt_err err = { 0 };

		if (!cJSON_IsString(original) ||
				!lt_host_change_option(desk->timing->host,
						lt_str_from(option->string),
						lt_str_from(original->valuestring), &err)) {
			lt_log(&desk->timing->log, LT_INFO,
					"an option goes back to its first value with the next start",
					"option=%s", option->string);
		}
	}
}

/* What changes nothing but the overrides, and then all that is made of them. */
static bool run_override(struct lt_timing_desk *desk, const char *order, const cJSON *params,
		struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *bare = bare_state(desk);
	LT_AUTO(cJSON_Delete) cJSON *before = cJSON_Duplicate(desk->timing->manifest, true);
	const cJSON *what = lt_json_get(params, "what");
	bool gives_options_back = strcmp(order, "clear") == 0 &&
			(!cJSON_IsString(what) || strcmp(what->valuestring, "options") == 0);

	if (gives_options_back) {
		give_options_back(desk);
	}
	if (!lt_overrides_order(desk->overrides, order, params,
			    lt_wall_ms(lt_loop_wall(desk->timing->env.loop)), err)) {
		return false;
	}
	lt_timing_renew_manifest(desk->timing);
	if (!before || !lt_json_equal(before, desk->timing->manifest)) {
		lt_timing_announce_now(desk->timing);
	}
	lt_overrides_on_state(desk->overrides, bare);
	if (!lt_json_equal(bare, desk->timing->state)) {
		lt_timing_relay_take(desk->timing, LT_STEAL(bare), cJSON_CreateArray());
	}
	return true;
}

static void end_session(struct lt_timing_desk *desk)
{
	cJSON *bare = bare_state(desk);

	lt_overrides_end_session(desk->overrides);
	renew_state(desk, bare, cJSON_CreateArray());
	while (desk->messages->child) {
		cJSON_DeleteItemFromArray(desk->messages, 0);
	}
	lt_timing_new_session(desk->timing);
}

bool lt_timing_desk_order(struct lt_timing_desk *desk, const char *order, const cJSON *params,
		struct lt_err *err)
{
	if (desk->timing->status != LT_TIMING_RUNNING || !desk->timing->manifest) {
		return lt_err_set(err, LT_E_UNAVAILABLE, "the service is not ready yet");
	}
	if (strcmp(order, "show") == 0) {
		return true;
	}
	if (strcmp(order, "message") == 0) {
		return run_message(desk, params, err);
	}
	if (strcmp(order, "penalty") == 0) {
		return run_penalty(desk, params, err);
	}
	if (strcmp(order, "option") == 0) {
		return run_option(desk, params, err);
	}
	if (strcmp(order, "endSession") == 0) {
		end_session(desk);
		return true;
	}
	return run_override(desk, order, params, err);
}

/* --- the procedure --- */

static const char *error_uri(enum lt_errc code)
{
	return code == LT_E_INVALID || code == LT_E_FORMAT ? "wamp.error.invalid_argument"
			: code == LT_E_NOT_FOUND           ? "livetiming.error.not_found"
							   : "livetiming.error.refused";
}

static void yield_overrides(struct lt_timing_desk *desk, uint64_t invocation)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	lt_buf_add_char(&args, '[');
	lt_json_print(&args, lt_overrides_json(desk->overrides), LT_JSON_UTF8);
	lt_buf_add_char(&args, ']');
	lt_local_yield(desk->timing->local, invocation, lt_buf_str(&args));
}

static void on_saved(void *arg, bool ok)
{
	struct pending *pending = arg;
	struct lt_timing_desk *desk = pending->desk;

	if (ok) {
		yield_overrides(desk, pending->invocation);
	} else {
		lt_local_error(desk->timing->local, pending->invocation, "livetiming.error.refused",
				"done, but it could not be written: a restart forgets it");
	}
	free_pending(pending);
}

static void save_and_answer(struct lt_timing_desk *desk, uint64_t invocation)
{
	struct pending *pending = lt_zalloc(sizeof(*pending));
	LT_AUTO(cJSON_Delete) cJSON *file = lt_overrides_file(desk->overrides);
	struct lt_buf text = { 0 };

	pending->desk = desk;
	pending->invocation = invocation;
	pending->waiter = (struct lt_saver_waiter){ .saved = on_saved, .arg = pending };
	DL_APPEND(desk->pending, pending);
	desk->pending_count++;
	lt_json_print(&text, file, LT_JSON_INDENTED);
	lt_buf_add_char(&text, '\n');
	struct lt_text *shared = lt_text_take(&text);

	lt_saver_write_then(desk->timing->env.saver, desk->path, shared, &pending->waiter);
	lt_text_unref(shared);
}

void lt_timing_desk_on_call(void *arg, const struct lt_invocation *invocation)
{
	struct lt_timing *timing = arg;
	struct lt_timing_desk *desk = timing->desk;
	struct lt_err err = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(invocation->args, &err);
	const cJSON *order = cJSON_GetArrayItem(args, 0);

	if (!cJSON_IsString(order)) {
		lt_local_error(timing->local, invocation->id, "wamp.error.invalid_argument",
				"expected an order and its parameters");
		return;
	}
	if (desk->pending_count >= PENDING_MAX) {
		lt_err_set(&err, LT_E_LIMIT, "too many orders at once");
	} else if (lt_timing_desk_order(
				   desk, order->valuestring, cJSON_GetArrayItem(args, 1), &err)) {
		if (desk->path && strcmp(order->valuestring, "show") != 0) {
			save_and_answer(desk, invocation->id);
		} else {
			yield_overrides(desk, invocation->id);
		}
		return;
	}
	lt_local_error(timing->local, invocation->id, error_uri(err.code), err.msg);
}
