#include "base/alloc.h"
#include "services/announce/template.h"
#include "services/announce/text.h"
#include "support/test.h"

#define ORIGINAL "Starting now: {name}. Follow live at {link}"
#define FLAG_DE  "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"
/* woman, joiner, rocket; a thumb with a skin tone */
#define ASTRONAUT "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80"
#define THUMB     "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd"

static const struct lt_template_values values = {
	.name = { "24 Hours of Spa", 15 },
	.service = { "wec", 3 },
	.site = { "https://timing.example", 22 },
	.link = { "https://timing.example/s/wec", 28 },
	.start = { INT64_C(1778936400) * LT_US_PER_S },
};

static void the_originals_text_is_made(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	(void)state;

	lt_template_message(&buf, LT_STR(ORIGINAL), &values);

	assert_string_equal(buf.p,
			"Starting now: 24 Hours of Spa. Follow live at https://timing.example/s/wec");
}

static void every_placeholder_is_filled_and_braces_can_be_written(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	(void)state;

	lt_template_message(&buf, LT_STR("{{{service}}} {start} {site}"), &values);

	assert_string_equal(buf.p, "{wec} 2026-05-16 13:00 UTC https://timing.example");
}

static void values_in_links_are_encoded(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	struct lt_template_values odd = values;
	(void)state;

	odd.service = LT_STR("a/b c?");
	lt_template_link(&buf, LT_STR("{site}/s/{service}"), &odd);

	assert_string_equal(buf.p, "https://timing.example/s/a%2Fb%20c%3F");
}

static void mistakes_in_templates_are_named(void **state)
{
	static const struct {
		const char *text;
		bool is_link;
		const char *error;
	} cases[] = {
		{ "{nmae}", false,
				"unknown placeholder \"nmae\": one of name, service, start, site, link" },
		{ "now {name", false, "a \"{\" without \"}\"; \"{{\" is a brace" },
		{ "now }", false, "a \"}\" without \"{\"; \"}}\" is a brace" },
		{ "{site}/{link}", true, "{link} cannot stand in the link" },
		{ "\xff", false, "not UTF-8" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };

		assert_false(lt_template_check(lt_str_from(cases[i].text), cases[i].is_link, &err));
		assert_string_equal(err.msg, cases[i].error);
	}
	assert_true(lt_template_check(LT_STR(ORIGINAL), false, NULL));
	assert_true(lt_template_check(LT_STR(""), false, NULL));
}

/* --- lengths --- */

static void clusters_are_what_people_see(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{ "", 0 },
		{ "race", 4 },
		{ "e\xcc\x81", 1 },
		{ FLAG_DE FLAG_DE, 2 },
		{ ASTRONAUT, 1 },
		{ THUMB "!", 2 },
		{ "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 1 }, /* Hangul in its parts */
		{ "\r\n", 1 },
		{ "\n\xcc\x81", 2 },
		{ "\xff\xfe", 2 },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_str rest = lt_str_from(cases[i].text);
		size_t n = 0;

		while (rest.n) {
			rest = lt_str_skip(rest, lt_text_next_cluster(rest));
			n++;
		}
		assert_int_equal(n, cases[i].n);
	}
}

static void x_weighs_characters(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{ "", 0 }, { "N\xc3\xbcrburgring 24h", 15 },
		{ "\xe9\x88\xb4\xe9\xb9\xbf", 4 }, /* Suzuka, in two characters */
		{ ASTRONAUT THUMB FLAG_DE, 6 },
		{ "at https://timing.example/s/a-very-long-service-class, now", 3 + 23 + 5 },
		{ "http://a.b http://c.d", 23 + 1 + 23 }, { "a.co is a link", 23 + 10 },
		{ "v1.2 and 3.5h are none", 22 },
		{ "\xe2\x80\x93\xe2\x80\x9c\xe2\x80\xa6", 4 }, /* dash and quote 1, ellipsis 2 */
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		assert_int_equal(lt_text_length_x(lt_str_from(cases[i].text)), cases[i].n);
	}
}

static void each_network_counts_in_its_own_way(void **state)
{
	struct lt_str text = LT_STR("e\xcc\x81" ASTRONAUT " https://timing.example/s/wec");
	(void)state;

	assert_int_equal(lt_text_length_mastodon(text), 3 + 23);
	assert_int_equal(lt_text_length_bluesky(text), 3 + 28);
	assert_int_equal(lt_text_length_utf16(text), 2 + 5 + 1 + 28);
}

static void many_bytes_count_where_bytes_are_limited(void **state)
{
	char text[3010];
	(void)state;

	/* one cluster: a letter and a thousand marks */
	text[0] = 'e';
	for (size_t i = 1; i + 1 < sizeof(text); i += 2) {
		memcpy(text + i, "\xcc\x81", 2);
	}

	assert_true(lt_text_length_bluesky((struct lt_str){ text, 3009 }) > 300);
}

static void links_end_before_the_punctuation_of_the_sentence(void **state)
{
	struct lt_str rest = LT_STR("see (https://a.example/x?y=1). Or HTTP://b.example!"), link;
	(void)state;

	assert_true(lt_text_next_link(&rest, &link));
	assert_str_equal(link, "https://a.example/x?y=1");
	assert_true(lt_text_next_link(&rest, &link));
	assert_str_equal(link, "HTTP://b.example");
	assert_false(lt_text_next_link(&rest, &link));
}

/* --- fitting --- */

static void a_text_that_fits_is_left_alone(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	(void)state;

	lt_template_fit(&buf, LT_STR("{name} {link}"), &values, 15 + 1 + 23, lt_text_length_x);

	assert_string_equal(buf.p, "24 Hours of Spa https://timing.example/s/wec");
}

static void a_long_name_loses_its_end_at_a_word(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	(void)state;

	/* "24 Hours of Sp" would fit, but not look well */
	lt_template_fit(&buf, LT_STR("{name} {link}"), &values, 15 + 23, lt_text_length_x);

	assert_string_equal(buf.p, "24 Hours of\xe2\x80\xa6 https://timing.example/s/wec");
}

static void no_character_is_cut_in_two(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	struct lt_template_values flags = values;
	(void)state;

	flags.name = LT_STR(FLAG_DE ASTRONAUT FLAG_DE ASTRONAUT);
	lt_template_fit(&buf, LT_STR("{name}"), &flags, 6, lt_text_length_x);

	assert_string_equal(buf.p, FLAG_DE ASTRONAUT "\xe2\x80\xa6");
}

static void a_template_that_is_too_long_keeps_its_link(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	(void)state;

	lt_template_fit(&buf, LT_STR("A long sentence about racing, {name}, at {link} and more"),
			&values, 45, lt_text_length_utf16);

	assert_string_equal(buf.p, "A long sentence\xe2\x80\xa6 https://timing.example/s/wec");
}

static void whatever_the_limit_it_is_kept(void **state)
{
	(void)state;

	for (size_t max = 1; max < 120; max++) {
		LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };

		lt_template_fit(&buf, LT_STR(ORIGINAL), &values, max, lt_text_length_utf16);

		assert_true(lt_text_length_utf16(lt_buf_str(&buf)) <= max);
		assert_true(lt_utf8_valid(lt_buf_str(&buf)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_originals_text_is_made),
		cmocka_unit_test(every_placeholder_is_filled_and_braces_can_be_written),
		cmocka_unit_test(values_in_links_are_encoded),
		cmocka_unit_test(mistakes_in_templates_are_named),
		cmocka_unit_test(clusters_are_what_people_see),
		cmocka_unit_test(x_weighs_characters),
		cmocka_unit_test(each_network_counts_in_its_own_way),
		cmocka_unit_test(many_bytes_count_where_bytes_are_limited),
		cmocka_unit_test(links_end_before_the_punctuation_of_the_sentence),
		cmocka_unit_test(a_text_that_fits_is_left_alone),
		cmocka_unit_test(a_long_name_loses_its_end_at_a_word),
		cmocka_unit_test(no_character_is_cut_in_two),
		cmocka_unit_test(a_template_that_is_too_long_keeps_its_link),
		cmocka_unit_test(whatever_the_limit_it_is_kept),
	};

	return cmocka_run_group_tests_name("services/announce_template", tests, NULL, NULL);
}
