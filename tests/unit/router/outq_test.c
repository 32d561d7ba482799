#include "base/alloc.h"
#include "router/outq.h"
#include "support/test.h"

static const struct lt_outq_limits wide = { .soft_bytes = 1 << 20, .hard_bytes = 8 << 20 };

/* Push and give up our own reference; the queue alone holds the message then. */
static bool push(struct lt_outq *queue, const char *text, uint64_t conflate,
		const struct lt_outq_limits *limits, uint64_t *conflated)
{
	struct lt_payload *payload = lt_payload_create(lt_str_from(text), false);
	bool ok = lt_outq_push(queue, payload, conflate, limits, conflated);

	lt_payload_unref(payload);
	return ok;
}

/* What the queue would write, without the two bytes of header that short frames have. */
static void expect_messages(struct lt_outq *queue, const char *expected)
{
	struct lt_outq_piece pieces[LT_OUTQ_PIECES];
	size_t n = lt_outq_peek(queue, pieces, LT_OUTQ_PIECES, SIZE_MAX);
	struct lt_buf text = { 0 };

	lt_buf_add_c(&text, "");
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(pieces[i].head_n, 0);
		lt_buf_add_str(&text, lt_str_skip(pieces[i].body, 2));
		lt_buf_add_char(&text, ' ');
	}
	assert_str_equal(lt_str_trim(lt_buf_str(&text)), expected);
	lt_buf_finish(&text);
}

static void messages_leave_in_the_order_they_came(void **state)
{
	struct lt_outq queue = { 0 };
	uint64_t conflated = 0;
	(void)state;

	for (int round = 0; round < 3; round++) {
		assert_true(push(&queue, "a", 0, &wide, &conflated));
		assert_true(push(&queue, "b", 0, &wide, &conflated));
		assert_true(push(&queue, "c", 0, &wide, &conflated));
		lt_outq_take(&queue, 2);
		expect_messages(&queue, "c");
		lt_outq_take(&queue, 1);
	}

	assert_true(lt_outq_is_empty(&queue));
	assert_int_equal(queue.bytes, 0);
	lt_outq_finish(&queue);
}

static void a_long_queue_keeps_its_order_while_it_grows(void **state)
{
	struct lt_outq queue = { 0 };
	struct lt_outq_piece piece;
	uint64_t conflated = 0;
	char text[16];
	(void)state;

	push(&queue, "x", 0, &wide, &conflated);
	push(&queue, "x", 0, &wide, &conflated);
	lt_outq_take(&queue, 2);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		push(&queue, text, 0, &wide, &conflated);
	}

	for (int i = 0; i < 1000; i++) {
		assert_int_equal(lt_outq_peek(&queue, &piece, 1, 1), 1);
		snprintf(text, sizeof(text), "%d", i);
		assert_true(lt_str_eq_c(lt_str_skip(piece.body, 2), text));
		lt_outq_take(&queue, 1);
	}
	lt_outq_finish(&queue);
}

static void a_push_over_the_hard_limit_fails_and_queues_nothing(void **state)
{
	struct lt_outq queue = { 0 };
	struct lt_outq_limits limits = { .soft_bytes = 100, .hard_bytes = 8 };
	uint64_t conflated = 0;
	(void)state;

	assert_true(push(&queue, "aaaa", 0, &limits, &conflated));
	assert_false(push(&queue, "bbbb", 0, &limits, &conflated));

	expect_messages(&queue, "aaaa");
	assert_int_equal(queue.bytes, 6);
	lt_outq_finish(&queue);
}

static void an_empty_queue_takes_one_message_of_any_size(void **state)
{
	struct lt_outq queue = { 0 };
	struct lt_outq_limits limits = { .soft_bytes = 1, .hard_bytes = 1 };
	uint64_t conflated = 0;
	(void)state;

	assert_true(push(&queue, "more than one byte", 0, &limits, &conflated));

	lt_outq_finish(&queue);
}

static void over_the_soft_limit_the_newest_replaces_older_ones_of_its_kind(void **state)
{
	struct lt_outq queue = { 0 };
	struct lt_outq_limits limits = { .soft_bytes = 12, .hard_bytes = 1000 };
	uint64_t conflated = 0;
	(void)state;

	push(&queue, "a1", 7, &limits, &conflated);
	push(&queue, "b1", 8, &limits, &conflated);
	push(&queue, "a2", 7, &limits, &conflated);
	push(&queue, "a3", 7, &limits, &conflated);

	expect_messages(&queue, "b1 a3");
	assert_int_equal(conflated, 2);
	lt_outq_finish(&queue);
}

/* 200,000 values: were each push to look at all before it, this would take minutes. */
static void many_kinds_over_the_soft_limit_cost_no_more_than_their_number(void **state)
{
	struct lt_outq queue = { 0 };
	struct lt_outq_limits limits = { .soft_bytes = 12, .hard_bytes = 64 << 20 };
	struct lt_payload *payload = lt_payload_create(LT_STR("value"), false);
	uint64_t conflated = 0, kinds = 200000;
	(void)state;

	for (uint64_t kind = 1; kind <= kinds; kind++) {
		assert_true(lt_outq_push(&queue, payload, kind, &limits, &conflated));
	}
	assert_int_equal(conflated, 0);

	/* and yet, from the next search on, each newer value takes the place of an older one */
	for (uint64_t i = 0; i < kinds && conflated == 0; i++) {
		assert_true(lt_outq_push(&queue, payload, 7, &limits, &conflated));
	}
	assert_true(conflated > 0);
	assert_true(queue.count <= kinds);
	lt_payload_unref(payload);
	lt_outq_finish(&queue);
}

static void a_value_is_replaced_before_the_hard_limit_ends_the_queue(void **state)
{
	struct lt_outq queue = { 0 };
	struct lt_outq_limits limits = { .soft_bytes = 12, .hard_bytes = 16 };
	uint64_t conflated = 0;
	(void)state;

	for (uint64_t kind = 1; kind <= 4; kind++) {
		assert_true(push(&queue, "v1", kind, &limits, &conflated));
	}
	assert_true(push(&queue, "v2", 2, &limits, &conflated));

	assert_int_equal(conflated, 1);
	expect_messages(&queue, "v1 v1 v1 v2");
	lt_outq_finish(&queue);
}

static void below_the_soft_limit_nothing_is_dropped(void **state)
{
	struct lt_outq queue = { 0 };
	uint64_t conflated = 0;
	(void)state;

	push(&queue, "a1", 7, &wide, &conflated);
	push(&queue, "a2", 7, &wide, &conflated);

	expect_messages(&queue, "a1 a2");
	assert_int_equal(conflated, 0);
	lt_outq_finish(&queue);
}

static void messages_that_do_not_conflate_are_never_dropped(void **state)
{
	struct lt_outq queue = { 0 };
	struct lt_outq_limits limits = { .soft_bytes = 1, .hard_bytes = 1000 };
	uint64_t conflated = 0;
	(void)state;

	push(&queue, "r1", 0, &limits, &conflated);
	push(&queue, "r2", 0, &limits, &conflated);
	push(&queue, "a1", 7, &limits, &conflated);

	expect_messages(&queue, "r1 r2 a1");
	lt_outq_finish(&queue);
}

static void one_gathering_is_bounded_in_bytes_and_pieces(void **state)
{
	struct lt_outq queue = { 0 };
	struct lt_outq_piece pieces[LT_OUTQ_PIECES];
	uint64_t conflated = 0;
	(void)state;

	for (int i = 0; i < 10; i++) {
		push(&queue, "12345678", 0, &wide, &conflated);
	}

	assert_int_equal(lt_outq_peek(&queue, pieces, 3, SIZE_MAX), 3);
	assert_int_equal(lt_outq_peek(&queue, pieces, LT_OUTQ_PIECES, 25), 3);
	assert_int_equal(lt_outq_peek(&queue, pieces, LT_OUTQ_PIECES, 0), 1);
	lt_outq_finish(&queue);
}

static struct lt_payload *make_large(size_t n, bool binary)
{
	char *bytes = lt_alloc(n);

	for (size_t i = 0; i < n; i++) {
		bytes[i] = (char)(i * 7);
	}
	struct lt_payload *payload = lt_payload_create((struct lt_str){ bytes, n }, binary);
	lt_free(bytes);
	return payload;
}

static void a_large_message_leaves_as_fragments_that_add_up(void **state)
{
	struct lt_outq queue = { 0 };
	size_t n = 3 * LT_OUTQ_FRAGMENT + 5, at = 0;
	struct lt_payload *payload = make_large(n, true);
	struct lt_outq_piece pieces[8];
	uint64_t conflated = 0;
	(void)state;

	assert_true(lt_outq_push(&queue, payload, 0, &wide, &conflated));
	size_t count = lt_outq_peek(&queue, pieces, 8, SIZE_MAX);

	assert_int_equal(count, 4);
	assert_memory_equal(pieces[0].head, "\x02\x7f\0\0\0\0\0\1\0\0", 10);
	assert_memory_equal(pieces[1].head, "\x00\x7f\0\0\0\0\0\1\0\0", 10);
	assert_int_equal(pieces[3].head_n, 2);
	assert_memory_equal(pieces[3].head, "\x80\x05", 2);
	for (size_t i = 0; i < count; i++) {
		assert_memory_equal(pieces[i].body.p, lt_payload_message(payload).p + at,
				pieces[i].body.n);
		at += pieces[i].body.n;
	}
	assert_int_equal(at, n);
	lt_outq_take(&queue, count);
	assert_true(lt_outq_is_empty(&queue));
	assert_int_equal(queue.bytes, 0);
	lt_payload_unref(payload);
	lt_outq_finish(&queue);
}

static void a_message_of_which_a_fragment_has_left_is_not_conflated(void **state)
{
	struct lt_outq queue = { 0 };
	struct lt_payload *payload = make_large(3 * LT_OUTQ_FRAGMENT, false);
	struct lt_outq_limits limits = { .soft_bytes = 1, .hard_bytes = 8 << 20 };
	struct lt_outq_piece pieces[8];
	uint64_t conflated = 0;
	(void)state;

	lt_outq_push(&queue, payload, 7, &limits, &conflated);
	lt_outq_take(&queue, 1);
	push(&queue, "old", 7, &limits, &conflated);
	push(&queue, "new", 7, &limits, &conflated);

	assert_int_equal(lt_outq_peek(&queue, pieces, 8, SIZE_MAX), 3);
	assert_int_equal(pieces[0].head[0], 0x00);
	assert_int_equal(pieces[1].head[0], 0x80);
	assert_str_equal(lt_str_skip(pieces[2].body, 2), "new");
	assert_int_equal(conflated, 1);
	lt_payload_unref(payload);
	lt_outq_finish(&queue);
}

/* --- RawSocket --- */

/* All that the queue would write. */
static void gather(const struct lt_outq *queue, struct lt_buf *ret)
{
	struct lt_outq_piece pieces[LT_OUTQ_PIECES];
	size_t n = lt_outq_peek(queue, pieces, LT_OUTQ_PIECES, SIZE_MAX);

	lt_buf_clear(ret);
	for (size_t i = 0; i < n; i++) {
		lt_buf_add(ret, pieces[i].head, pieces[i].head_n);
		lt_buf_add_str(ret, pieces[i].body);
	}
}

static void a_raw_queue_goes_on_after_any_number_of_bytes(void **state)
{
	static const char expected[] = "\0\0\0\3one\0\0\0\3two";
	const size_t total = sizeof(expected) - 1;
	uint64_t conflated = 0;
	(void)state;

	for (size_t step = 1; step <= total; step++) {
		struct lt_outq queue = { .framing = LT_FRAMING_RAW };
		struct lt_buf left = { 0 };

		assert_true(push(&queue, "one", 0, &wide, &conflated));
		assert_true(push(&queue, "two", 0, &wide, &conflated));
		for (size_t done = 0; done < total; done += LT_MIN(step, total - done)) {
			gather(&queue, &left);
			assert_int_equal(left.n, total - done);
			assert_memory_equal(left.p, expected + done, left.n);
			assert_int_equal(queue.bytes, left.n);
			lt_outq_take_bytes(&queue, LT_MIN(step, total - done));
		}
		assert_true(lt_outq_is_empty(&queue));
		lt_outq_finish(&queue);
		lt_buf_finish(&left);
	}
}

static void a_raw_message_of_which_a_part_has_left_is_not_dropped(void **state)
{
	const struct lt_outq_limits narrow = { .soft_bytes = 10, .hard_bytes = 1000 };
	struct lt_outq queue = { .framing = LT_FRAMING_RAW };
	struct lt_buf left = { 0 };
	uint64_t conflated = 0;
	(void)state;

	push(&queue, "first", 7, &narrow, &conflated);
	lt_outq_take_bytes(&queue, 6);
	push(&queue, "second", 7, &narrow, &conflated);
	push(&queue, "third", 7, &narrow, &conflated);

	gather(&queue, &left);
	assert_int_equal(left.n, 12);
	assert_memory_equal(left.p, "rst\0\0\0\5third", 12);
	lt_outq_finish(&queue);
	lt_buf_finish(&left);
}

/* --- permessage-deflate --- */

static void deflated_frames_are_made_once_and_shared(void **state)
{
	struct lt_outq queues[2] = { { .framing = LT_FRAMING_WS_DEFLATE },
		{ .framing = LT_FRAMING_WS_DEFLATE } };
	struct lt_outq_piece pieces[2];
	char text[2001];
	uint64_t conflated = 0;
	(void)state;

	memset(text, 'x', 2000);
	text[2000] = '\0';
	struct lt_payload *payload = lt_payload_create(lt_str_from(text), false);
	for (int i = 0; i < 2; i++) {
		assert_true(lt_outq_push(&queues[i], payload, 0, &wide, &conflated));
		assert_int_equal(lt_outq_peek(&queues[i], &pieces[i], 1, SIZE_MAX), 1);
	}

	assert_int_equal((unsigned char)pieces[0].body.p[0], 0xc1);
	assert_true(pieces[0].body.n < 100);
	assert_int_equal(queues[0].bytes, pieces[0].body.n);
	assert_ptr_equal(pieces[0].body.p, pieces[1].body.p);
	lt_payload_unref(payload);
	lt_outq_finish(&queues[0]);
	lt_outq_finish(&queues[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_leave_in_the_order_they_came),
		cmocka_unit_test(a_long_queue_keeps_its_order_while_it_grows),
		cmocka_unit_test(a_push_over_the_hard_limit_fails_and_queues_nothing),
		cmocka_unit_test(an_empty_queue_takes_one_message_of_any_size),
		cmocka_unit_test(over_the_soft_limit_the_newest_replaces_older_ones_of_its_kind),
		cmocka_unit_test(many_kinds_over_the_soft_limit_cost_no_more_than_their_number),
		cmocka_unit_test(a_value_is_replaced_before_the_hard_limit_ends_the_queue),
		cmocka_unit_test(below_the_soft_limit_nothing_is_dropped),
		cmocka_unit_test(messages_that_do_not_conflate_are_never_dropped),
		cmocka_unit_test(one_gathering_is_bounded_in_bytes_and_pieces),
		cmocka_unit_test(a_large_message_leaves_as_fragments_that_add_up),
		cmocka_unit_test(a_message_of_which_a_fragment_has_left_is_not_conflated),
		cmocka_unit_test(a_raw_queue_goes_on_after_any_number_of_bytes),
		cmocka_unit_test(a_raw_message_of_which_a_part_has_left_is_not_dropped),
		cmocka_unit_test(deflated_frames_are_made_once_and_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
