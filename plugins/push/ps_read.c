#include "ps_read.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ps_int.h"

#define SECONDS_MAX 1e7
#define LAPS_MAX    100000

/* A member of an object: how it is read, and where to. */
struct member {
	const char *name;
	bool (*read)(struct ps_reader *reader, const struct member *member,
			const struct lt_value *value, void *to);
	size_t at;                /* of what it fills in the struct */
	int64_t min, max;         /* whole numbers */
	const char *const *words; /* choices, ends with NULL; their index is the value */
};

bool ps_is(struct lt_str text, const char *other)
{
	return text.p != NULL && text.n == strlen(other) && memcmp(text.p, other, text.n) == 0;
}

bool ps_wrong(struct ps_reader *reader, const char *name, const char *expected)
{
	snprintf(reader->message->error, sizeof(reader->message->error), "%s%s%s%s%s",
			reader->where, reader->where[0] && name ? "." : "", name ? name : "",
			reader->where[0] || name ? ": " : "", expected);
	return false;
}

bool ps_text(struct ps_reader *reader, const char *name, const struct lt_value *value, size_t max,
		struct lt_str *ret)
{
	struct lt_str text = reader->json->text(value);
	uint32_t kind = reader->json->kind(value);
	char expected[64];

	if (kind == LT_VALUE_NULL) {
		*ret = lt_text_n("", 0);
		return true;
	}
	if (kind != LT_VALUE_TEXT || text.n > max) {
		snprintf(expected, sizeof(expected), "expected a text of at most %zu bytes", max);
		return ps_wrong(reader, name, expected);
	}
	for (size_t i = 0; i < text.n; i++) {
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f) {
			return ps_wrong(reader, name, "expected a text without control characters");
		}
	}
	*ret = text;
	return true;
}

static void *place(void *to, const struct member *member)
{
	return (char *)to + member->at;
}

static bool read_text(struct ps_reader *reader, const struct member *member,
		const struct lt_value *value, void *to)
{
	return ps_text(reader, member->name, value, PS_TEXT_MAX, place(to, member));
}

static bool is_seconds(const struct ps_reader *reader, const struct lt_value *value)
{
	double number = reader->json->number(value);

	return reader->json->kind(value) == LT_VALUE_NUMBER && number >= 0 && number <= SECONDS_MAX;
}

static int64_t ms_of(double seconds)
{
	return (int64_t)floor(seconds * 1000 + 0.5);
}

static bool read_seconds(struct ps_reader *reader, const struct member *member,
		const struct lt_value *value, void *to)
{
	int64_t *ms = place(to, member);

	if (reader->json->kind(value) == LT_VALUE_NULL) {
		*ms = LT_NO_TIME;
		return true;
	}
	if (!is_seconds(reader, value)) {
		return ps_wrong(reader, member->name, "expected seconds");
	}
	*ms = ms_of(reader->json->number(value));
	return true;
}

static bool read_count(struct ps_reader *reader, const struct member *member,
		const struct lt_value *value, void *to)
{
	double number = reader->json->number(value);
	int64_t *count = place(to, member);
	char expected[80];

	if (reader->json->kind(value) == LT_VALUE_NULL) {
		*count = PS_NULL;
		return true;
	}
	if (reader->json->kind(value) != LT_VALUE_NUMBER || number != floor(number) ||
			number < (double)member->min || number > (double)member->max) {
		snprintf(expected, sizeof(expected), "expected a whole number from %lld to %lld",
				(long long)member->min, (long long)member->max);
		return ps_wrong(reader, member->name, expected);
	}
	*count = (int64_t)number;
	return true;
}

static bool read_bool(struct ps_reader *reader, const struct member *member,
		const struct lt_value *value, void *to)
{
	if (reader->json->kind(value) != LT_VALUE_BOOL) {
		return ps_wrong(reader, member->name, "expected true or false");
	}
	*(int64_t *)place(to, member) = reader->json->is_true(value) != 0;
	return true;
}

static bool read_choice(struct ps_reader *reader, const struct member *member,
		const struct lt_value *value, void *to)
{
	struct lt_str text = reader->json->text(value);
	char expected[200] = "expected ";
	size_t n = strlen(expected);

	if (reader->json->kind(value) == LT_VALUE_NULL) {
		*(int64_t *)place(to, member) = 0;
		return true;
	}
	for (size_t i = 0; member->words[i] != NULL; i++) {
		if (reader->json->kind(value) == LT_VALUE_TEXT && ps_is(text, member->words[i])) {
			*(int64_t *)place(to, member) = (int64_t)i;
			return true;
		}
		/* an empty word is what null stands for */
		if (member->words[i][0] != '\0' && n < sizeof(expected)) {
			n += (size_t)snprintf(expected + n, sizeof(expected) - n, "%s%s",
					n > strlen("expected ") ? ", " : "", member->words[i]);
		}
	}
	return ps_wrong(reader, member->name, expected);
}

/* Members of an object, each by its row of the table. */
static bool read_members(struct ps_reader *reader, const struct lt_value *object,
		const struct member *table, void *to)
{
	const struct lt_value *value = reader->json->first(object);
	char name[72];

	if (reader->json->kind(object) != LT_VALUE_OBJECT) {
		return ps_wrong(reader, NULL, "expected an object");
	}
	for (; value != NULL; value = reader->json->next(value)) {
		const struct member *member = table;
		struct lt_str key = reader->json->name(value);

		while (member->name != NULL && !ps_is(key, member->name)) {
			member++;
		}
		if (member->name == NULL) {
			snprintf(name, sizeof(name), "%.*s", (int)(key.n > 64 ? 64 : key.n), key.p);
			return ps_wrong(reader, name, "there is no such member");
		}
		if (!member->read(reader, member, value, to)) {
			return false;
		}
	}
	return true;
}

/* --- session --- */

static const char *const kinds[] = { "race", "practice", "qualifying", NULL };
static const char *const flags[] = { "none", "green", "white", "chequered", "yellow", "fcy",
	"code_60", "vsc", "sc", "caution", "red", "slow_zone", "code_60_zone", NULL };

#define SESSION(name, read, what)                                                                  \
	{                                                                                          \
		name, read, offsetof(struct ps_session, what), 0, 0, NULL                          \
	}
static const struct member session_members[] = {
	SESSION("id", read_text, id),
	SESSION("series", read_text, series),
	SESSION("description", read_text, description),
	{ "kind", read_choice, offsetof(struct ps_session, kind), 0, 0, kinds },
	{ "flag", read_choice, offsetof(struct ps_session, flag), 0, 0, flags },
	SESSION("elapsed", read_seconds, elapsed_ms),
	SESSION("remain", read_seconds, remain_ms),
	{ "lapsRemain", read_count, offsetof(struct ps_session, laps_remain), 0, LAPS_MAX, NULL },
	SESSION("running", read_bool, runs),
	SESSION("over", read_bool, over),
	{ 0 },
};

static bool read_session(struct ps_reader *reader, const struct lt_value *value)
{
	struct ps_session *session = &reader->message->session;

	snprintf(reader->where, sizeof(reader->where), "session");
	if (!read_members(reader, value, session_members, session)) {
		return false;
	}
	/* the field knows races, and what goes by best laps */
	if (session->kind > 0) {
		session->kind = LT_FIELD_TIMED;
	}
	reader->where[0] = '\0';
	return true;
}

/* --- cars --- */

static const char *const states[] = { "", "RUN", "PIT", "OUT", "STOP", "FIN", "RET", NULL };

static bool read_num(struct ps_reader *reader, const struct member *member,
		const struct lt_value *value, void *to)
{
	struct ps_car *car = to;

	if (reader->json->kind(value) != LT_VALUE_TEXT) {
		return ps_wrong(reader, member->name, "expected a text of 1 to 16 bytes");
	}
	return ps_text(reader, member->name, value, PS_NUM_MAX, &car->num);
}

/* Seconds; {"laps": n}; null: computed. */
static bool read_gap(struct ps_reader *reader, const struct member *member,
		const struct lt_value *value, void *to)
{
	struct ps_gap *gap = place(to, member);
	const struct lt_value *laps = reader->json->member(value, "laps");
	double number = reader->json->number(laps);
	uint32_t kind = reader->json->kind(value);

	gap->is_said = true;
	gap->gap.ms = LT_NO_TIME;
	if (kind == LT_VALUE_NULL) {
		return true;
	}
	gap->is_given = true;
	if (is_seconds(reader, value)) {
		gap->gap.ms = ms_of(reader->json->number(value));
		return true;
	}
	if (reader->json->kind(laps) == LT_VALUE_NUMBER && number >= 1 && number <= LAPS_MAX &&
			number == floor(number) &&
			reader->json->next(reader->json->first(value)) == NULL) {
		gap->gap.laps = (int32_t)number;
		return true;
	}
	return ps_wrong(reader, member->name, "expected seconds, {\"laps\": number} or null");
}

static bool read_sectors(struct ps_reader *reader, const struct member *member,
		const struct lt_value *value, void *to)
{
	struct ps_car *car = to;
	const struct lt_value *item = reader->json->first(value);
	char name[32];

	if (reader->json->kind(value) != LT_VALUE_LIST) {
		return ps_wrong(reader, member->name, "expected a list of seconds");
	}
	for (; item != NULL; item = reader->json->next(item)) {
		if (car->sector_count == PS_SECTORS_MAX) {
			return ps_wrong(reader, member->name, "expected at most 5 sectors");
		}
		snprintf(name, sizeof(name), "sectors[%zu]", car->sector_count);
		if (reader->json->kind(item) != LT_VALUE_NULL && !is_seconds(reader, item)) {
			return ps_wrong(reader, name, "expected seconds or null");
		}
		car->sector[car->sector_count++] = reader->json->kind(item) == LT_VALUE_NULL
				? LT_NO_TIME
				: ms_of(reader->json->number(item));
	}
	return true;
}

static bool read_values(struct ps_reader *reader, const struct member *member,
		const struct lt_value *value, void *to)
{
	(void)member;
	((struct ps_car *)to)->values = value;
	return ps_check_values(reader, value);
}

#define CAR(name, read, what)                                                                      \
	{                                                                                          \
		name, read, offsetof(struct ps_car, what), 0, 0, NULL                              \
	}
#define CAR_TEXT(name, what) CAR(name, read_text, text[what])
#define CAR_COUNT(name, what, low, high)                                                           \
	{                                                                                          \
		name, read_count, offsetof(struct ps_car, what), low, high, NULL                   \
	}
static const struct member car_members[] = {
	CAR("num", read_num, num),
	CAR_TEXT("class", LT_TEXT_CLASS),
	CAR_TEXT("team", LT_TEXT_TEAM),
	CAR_TEXT("driver", LT_TEXT_DRIVER),
	CAR_TEXT("car", LT_TEXT_CAR),
	CAR_TEXT("tyre", LT_TEXT_TYRE),
	CAR("removed", read_bool, removed),
	CAR_COUNT("laps", laps, 0, LAPS_MAX),
	CAR("lastLap", read_seconds, last_ms),
	CAR("bestLap", read_seconds, best_ms),
	CAR_COUNT("bestLapNumber", best_lap, 1, LAPS_MAX),
	CAR("totalTime", read_seconds, total_ms),
	CAR("sectors", read_sectors, sector),
	{ "state", read_choice, offsetof(struct ps_car, state), 0, 0, states },
	CAR("inPits", read_bool, in_pits),
	CAR_COUNT("pits", pits, 0, LAPS_MAX),
	CAR_COUNT("position", position, 1, PS_CARS_MAX),
	CAR("gap", read_gap, gap),
	CAR("interval", read_gap, interval),
	CAR("values", read_values, values),
	{ 0 },
};

static bool is_twice(const struct ps_message *message, struct lt_str num)
{
	for (size_t i = 0; i < message->car_count; i++) {
		struct lt_str other = message->cars[i].num;

		if (other.n == num.n && memcmp(other.p, num.p, num.n) == 0) {
			return true;
		}
	}
	return false;
}

static bool read_car(struct ps_reader *reader, const struct lt_value *value)
{
	struct ps_message *message = reader->message;
	struct ps_car *car = &message->cars[message->car_count];

	memset(car, 0, sizeof(*car));
	car->removed = car->laps = car->last_ms = car->best_ms = car->best_lap = PS_ABSENT;
	car->total_ms = car->state = car->in_pits = car->pits = car->position = PS_ABSENT;
	if (!read_members(reader, value, car_members, car)) {
		return false;
	}
	if (car->num.n == 0) {
		return ps_wrong(reader, "num", "expected a text of 1 to 16 bytes");
	}
	if (is_twice(message, car->num)) {
		return ps_wrong(reader, "num", "this car stands there twice");
	}
	message->car_count++;
	return true;
}

/* --- lists --- */

static bool read_list(struct ps_reader *reader, const char *name, const struct lt_value *list,
		size_t max, bool (*read)(struct ps_reader *reader, const struct lt_value *value))
{
	const struct lt_value *item = reader->json->first(list);
	char expected[64];
	size_t i = 0;

	if (reader->json->kind(list) != LT_VALUE_LIST) {
		return ps_wrong(reader, name, "expected a list");
	}
	for (; item != NULL; item = reader->json->next(item)) {
		if (i == max) {
			reader->where[0] = '\0';
			snprintf(expected, sizeof(expected), "expected at most %zu of them", max);
			return ps_wrong(reader, name, expected);
		}
		snprintf(reader->where, sizeof(reader->where), "%s[%zu]", name, i++);
		if (!read(reader, item)) {
			return false;
		}
	}
	reader->where[0] = '\0';
	return true;
}

static bool read_say(struct ps_reader *reader, const struct lt_value *value)
{
	static const struct member members[] = {
		{ "text", read_text, offsetof(struct ps_say, text), 0, 0, NULL },
		{ "car", read_text, offsetof(struct ps_say, car), 0, 0, NULL },
		{ 0 },
	};
	struct ps_say *say = &reader->message->says[reader->message->say_count];

	memset(say, 0, sizeof(*say));
	if (reader->json->kind(value) == LT_VALUE_TEXT) {
		if (!ps_text(reader, NULL, value, PS_TEXT_MAX * 4, &say->text)) {
			return false;
		}
	} else if (!read_members(reader, value, members, say)) {
		return false;
	}
	if (say->text.n == 0) {
		return ps_wrong(reader, "text", "expected a text");
	}
	reader->message->say_count++;
	return true;
}

static bool read_control(struct ps_reader *reader, const struct lt_value *value)
{
	struct ps_message *message = reader->message;

	if (message->say_count == PS_MESSAGES_MAX) {
		return ps_wrong(reader, NULL, "expected at most 50 messages in all");
	}
	return read_say(reader, value) && (message->says[message->say_count - 1].is_control = true);
}

static bool read_message(struct ps_reader *reader, const struct lt_value *value)
{
	return reader->message->say_count < PS_MESSAGES_MAX
			? read_say(reader, value)
			: ps_wrong(reader, NULL, "expected at most 50 messages in all");
}

static bool read_track(struct ps_reader *reader, const struct lt_value *value)
{
	static const struct member members[] = {
		{ "name", read_text, offsetof(struct ps_track, name), 0, 0, NULL },
		{ "value", read_text, offsetof(struct ps_track, value), 0, 0, NULL },
		{ 0 },
	};
	struct ps_track *track = &reader->message->track[reader->message->track_count];

	memset(track, 0, sizeof(*track));
	if (!read_members(reader, value, members, track)) {
		return false;
	}
	if (track->name.n == 0) {
		return ps_wrong(reader, "name", "expected a text");
	}
	reader->message->track_count++;
	return true;
}

/* --- the message --- */

static bool read_update(struct ps_reader *reader, const struct lt_value *value)
{
	struct lt_str text = reader->json->text(value);

	reader->message->is_full = ps_is(text, "full");
	return reader->message->is_full || ps_is(text, "partial") ||
			ps_wrong(reader, "update", "expected full or partial");
}

/* Columns first: the values of cars are checked against them. */
static bool read_parts(struct ps_reader *reader, const struct lt_value *value)
{
	const struct lt_json_ext *json = reader->json;
	const struct lt_value *part;

	if ((part = json->member(value, "update")) != NULL && !read_update(reader, part)) {
		return false;
	}
	if ((part = json->member(value, "columns")) != NULL && !ps_read_columns(reader, part)) {
		return false;
	}
	if ((part = json->member(value, "session")) != NULL && !read_session(reader, part)) {
		return false;
	}
	if ((part = json->member(value, "trackData")) != NULL) {
		reader->message->has_track = true;
		if (!read_list(reader, "trackData", part, PS_TRACK_MAX, read_track)) {
			return false;
		}
	}
	if ((part = json->member(value, "cars")) != NULL) {
		reader->message->has_cars = true;
		if (!read_list(reader, "cars", part, PS_CARS_MAX, read_car)) {
			return false;
		}
	}
	if ((part = json->member(value, "messages")) != NULL &&
			!read_list(reader, "messages", part, PS_MESSAGES_MAX, read_message)) {
		return false;
	}
	part = json->member(value, "raceControl");
	return part == NULL ||
			read_list(reader, "raceControl", part, PS_MESSAGES_MAX, read_control);
}

static bool check_names(struct ps_reader *reader, const struct lt_value *value)
{
	static const char *const names[] = { "update", "columns", "session", "trackData", "cars",
		"messages", "raceControl" };
	const struct lt_value *member = reader->json->first(value);
	char name[72];

	for (; member != NULL; member = reader->json->next(member)) {
		struct lt_str key = reader->json->name(member);
		size_t i = 0;

		while (i < sizeof(names) / sizeof(names[0]) && !ps_is(key, names[i])) {
			i++;
		}
		if (i == sizeof(names) / sizeof(names[0])) {
			snprintf(name, sizeof(name), "%.*s", (int)(key.n > 64 ? 64 : key.n), key.p);
			return ps_wrong(reader, name, "there is no such member");
		}
	}
	return true;
}

bool ps_read(const struct lt_json_ext *json, const struct lt_value *value,
		const struct ps_columns *columns, struct ps_message *message)
{
	struct ps_reader reader = { .json = json, .message = message, .columns = columns };
	struct ps_session *session = &message->session;

	message->is_full = message->has_columns = message->has_track = message->has_cars = false;
	message->columns.n = message->columns.own = 0;
	message->track_count = message->car_count = message->say_count = 0;
	message->error[0] = '\0';
	memset(session, 0, sizeof(*session));
	session->kind = session->flag = session->elapsed_ms = session->remain_ms = PS_ABSENT;
	session->laps_remain = session->runs = session->over = PS_ABSENT;
	if (json->kind(value) != LT_VALUE_OBJECT) {
		return ps_wrong(&reader, NULL, "expected an object");
	}
	if (!check_names(&reader, value) || !read_parts(&reader, value)) {
		return false;
	}
	return !message->is_full || message->has_cars ||
			ps_wrong(&reader, "cars", "a full update has all cars");
}
