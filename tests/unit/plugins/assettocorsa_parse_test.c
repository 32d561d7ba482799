#include "ac_packets.h"

static struct ac_packet packet;

static enum ac_result parse(const struct datagram *d)
{
	return ac_parse(lt_text_n(d->bytes, d->n), &packet);
}

static void a_session_is_read(void **state)
{
	struct datagram d = session_datagram(50, 1, 3, 20, 10, -15000);

	(void)state;
	assert_int_equal(parse(&d), AC_OK);
	assert_int_equal(packet.type, AC_NEW_SESSION);
	assert_int_equal(packet.session.index, 1);
	assert_int_equal(packet.session.kind, 3);
	assert_int_equal(packet.session.minutes, 20);
	assert_int_equal(packet.session.laps, 10);
	assert_int_equal(packet.session.elapsed_ms, -15000);
	assert_string_equal(packet.session.server, "League");
	assert_string_equal(packet.session.track, "spa");
	assert_string_equal(packet.session.layout, "gp");
	assert_string_equal(packet.session.name, "Race");
}

static void another_version_of_the_protocol_is_not_read(void **state)
{
	struct datagram d = session_datagram(59, 1, 3, 20, 10, 0);

	(void)state;
	d.bytes[1] = 5;
	assert_int_equal(parse(&d), AC_DAMAGED);
	assert_int_equal(packet.session.version, 5);
}

static void an_entry_is_read_from_each_of_its_packets(void **state)
{
	struct datagram joined = entry_datagram(51, 7, "Ada Ash", "S1");
	struct datagram left = entry_datagram(52, 7, "Ada Ash", "S1");
	struct datagram info = info_datagram(8, 1, "Bea Beech");

	(void)state;
	assert_int_equal(parse(&joined), AC_OK);
	assert_int_equal(packet.car, 7);
	assert_true(packet.entry.connected);
	assert_string_equal(packet.entry.driver, "Ada Ash");
	assert_string_equal(packet.entry.driver_id, "S1");
	assert_string_equal(packet.entry.model, "gt3_car");
	assert_int_equal(parse(&left), AC_OK);
	assert_false(packet.entry.connected);
	assert_int_equal(parse(&info), AC_OK);
	assert_int_equal(packet.car, 8);
	assert_string_equal(packet.entry.driver, "Bea Beech");
	assert_string_equal(packet.entry.team, "The Team");
}

static void wide_characters_become_utf8(void **state)
{
	struct datagram d = { .n = 0 };

	(void)state;
	put(&d, 57, 1);
	put(&d, 3, 1);
	put(&d, 7, 1);
	put(&d, 'J', 4);
	put(&d, 0xFC, 4);
	put(&d, 0x20AC, 4);
	put(&d, 0x1F3C1, 4);
	put(&d, 0xD800, 4);     /* half of a character */
	put(&d, 0x12345678, 4); /* none at all */
	put(&d, '\n', 4);
	assert_int_equal(parse(&d), AC_OK);
	assert_string_equal(packet.text,
			"J\xC3\xBC\xE2\x82\xAC\xF0\x9F\x8F\x81\xEF\xBF\xBD\xEF\xBF\xBD ");
}

static void a_long_text_is_cut_at_a_whole_character(void **state)
{
	struct datagram d = { .n = 0 };

	(void)state;
	put(&d, 60, 1);
	put(&d, 200, 1);
	for (int i = 0; i < 200; i++) {
		put(&d, 0x20AC, 4);
	}
	assert_int_equal(parse(&d), AC_OK);
	assert_int_equal(strlen(packet.text), 255 / 3 * 3);
}

static void lines_of_the_table_have_seven_or_eight_bytes(void **state)
{
	struct datagram seven = lap_datagram(2, 91234, 0, 7, 2, 2u, 91234u, 1u, 5u, 92000u, 3u);
	struct datagram eight =
			lap_datagram(2, 91234, 1, 8, 2, 2u, 91234u, 1u, 0u, 5u, 92000u, 3u, 1u);

	(void)state;
	assert_int_equal(parse(&seven), AC_OK);
	assert_int_equal(packet.lap.count, 2);
	assert_false(packet.lap.has_finished);
	assert_int_equal(packet.lap.standings[1].car, 5);
	assert_int_equal(packet.lap.standings[1].time_ms, 92000);
	assert_int_equal(packet.lap.standings[1].laps, 3);
	assert_int_equal(parse(&eight), AC_OK);
	assert_true(packet.lap.has_finished);
	assert_int_equal(packet.lap.cuts, 1);
	assert_false(packet.lap.standings[0].is_finished);
	assert_true(packet.lap.standings[1].is_finished);
}

static void a_table_of_another_width_is_skipped_and_the_lap_kept(void **state)
{
	struct datagram d = lap_datagram(2, 91234, 0, 8, 2, 2u, 91234u, 1u, 0u, 5u, 92000u, 3u, 1u);

	(void)state;
	d.n -= 3;
	assert_int_equal(parse(&d), AC_OK);
	assert_int_equal(packet.lap.lap_ms, 91234);
	assert_int_equal(packet.lap.count, 0);
}

static void a_position_off_the_lap_is_damaged(void **state)
{
	static const float bad[] = { -0.1f, 1.1f, 1e30f };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct datagram d = update_datagram(1, bad[i]);

		assert_int_equal(parse(&d), AC_DAMAGED);
	}
	struct datagram nan = update_datagram(1, 0);

	memset(nan.bytes + nan.n - 4, 0xFF, 4);
	assert_int_equal(parse(&nan), AC_DAMAGED);
}

static void a_datagram_cut_at_any_place_is_never_read(void **state)
{
	struct datagram all[] = { session_datagram(59, 1, 3, 20, 10, 5),
		entry_datagram(51, 7, "Ada Ash", "S1"), info_datagram(8, 1, "Bea Beech"),
		update_datagram(3, 0.5f), text_datagram(57, 3, "hello"),
		text_datagram(55, -1, "result.json") };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(parse(&all[i]), AC_OK);
		for (size_t n = 1; n < all[i].n; n++) {
			assert_int_equal(ac_parse(lt_text_n(all[i].bytes, n), &packet), AC_DAMAGED);
		}
	}
}

static void unknown_types_and_nothing_are_ignored(void **state)
{
	(void)state;
	assert_int_equal(ac_parse(lt_text_n("", 0), &packet), AC_IGNORED);
	assert_int_equal(ac_parse(LT_LITERAL("\x49"), &packet), AC_DAMAGED);
	assert_int_equal(ac_parse(LT_LITERAL("hello"), &packet), AC_IGNORED);
	assert_int_equal(ac_parse(LT_LITERAL("\x3D\x01"), &packet), AC_IGNORED);
}

static void commands_are_little_endian(void **state)
{
	char command[AC_COMMAND_MAX];

	(void)state;
	assert_int_equal(ac_ask_session(-1, command), 3);
	assert_memory_equal(command, "\xCC\xFF\xFF", 3);
	assert_int_equal(ac_ask_car(9, command), 2);
	assert_memory_equal(command, "\xC9\x09", 2);
	assert_int_equal(ac_ask_updates(1000, command), 3);
	assert_memory_equal(command, "\xC8\xE8\x03", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_read),
		cmocka_unit_test(another_version_of_the_protocol_is_not_read),
		cmocka_unit_test(an_entry_is_read_from_each_of_its_packets),
		cmocka_unit_test(wide_characters_become_utf8),
		cmocka_unit_test(a_long_text_is_cut_at_a_whole_character),
		cmocka_unit_test(lines_of_the_table_have_seven_or_eight_bytes),
		cmocka_unit_test(a_table_of_another_width_is_skipped_and_the_lap_kept),
		cmocka_unit_test(a_position_off_the_lap_is_damaged),
		cmocka_unit_test(a_datagram_cut_at_any_place_is_never_read),
		cmocka_unit_test(unknown_types_and_nothing_are_ignored),
		cmocka_unit_test(commands_are_little_endian),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
