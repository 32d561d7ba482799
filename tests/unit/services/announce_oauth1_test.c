#include "base/alloc.h"
#include "services/announce/oauth1.h"
#include "support/test.h"

/* The keys of the network's own published example. */
static const struct lt_oauth1_keys example_keys = {
	{ "xvz1evFS4wEEPTGEFPHBog", 22 },
	{ "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw", 43 },
	{ "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", 50 },
	{ "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE", 41 },
};

static struct lt_oauth1_request example(const char *url)
{
	return (struct lt_oauth1_request){
		.method = "POST",
		.url = lt_str_from(url),
		.form = LT_STR("status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%"
			       "20request%21"),
		.nonce = LT_STR("kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"),
		.timestamp = 1318622958,
	};
}

static void expect_signature(const char *url, const char *expected)
{
	LT_AUTO(lt_buf_finish) struct lt_buf signature = { 0 };
	struct lt_oauth1_request request = example(url);

	lt_oauth1_signature(&signature, &example_keys, &request);

	assert_string_equal(signature.p, expected);
}

static void the_signatures_are_those_of_the_published_example(void **state)
{
	(void)state;

	expect_signature("https://api.twitter.com/1.1/statuses/update.json?include_entities=true",
			"hCtSmYh+iHYCEqBWrE7C7hYmtUk=");
	expect_signature("https://api.twitter.com/1/statuses/update.json?include_entities=true",
			"tnnArxj06cWHq44gCs1OSKk/jLY=");
}

static void scheme_and_host_are_signed_in_lower_case_without_the_own_port(void **state)
{
	(void)state;

	expect_signature("HTTPS://API.Twitter.com:443/1.1/statuses/update.json?include_entities="
			 "true#top",
			"hCtSmYh+iHYCEqBWrE7C7hYmtUk=");
}

/* RFC 5849, 3.4.1.1, with our parameters in place of its. */
static void parameters_are_sorted_by_encoded_name_and_value(void **state)
{
	const struct lt_oauth1_keys keys = { LT_STR("9djdj82h48djs9d2"), LT_STR("s"),
		LT_STR("kkk9d7dh3k39sjv7"), LT_STR("t") };
	LT_AUTO(lt_buf_finish) struct lt_buf base = { 0 };
	(void)state;

	lt_oauth1_base_string(&base, &keys,
			&(struct lt_oauth1_request){
					.method = "POST",
					.url = LT_STR("http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&"
						      "c%40=&a2=r%20b"),
					.form = LT_STR("c2&a3=2+q"),
					.nonce = LT_STR("7d8f3e4a"),
					.timestamp = 137131201,
			});

	assert_string_equal(base.p,
			"POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da"
			"%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48d"
			"js9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth"
			"_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7%26oauth_version%3D1"
			".0");
}

static void a_json_body_is_not_signed_and_the_header_is_encoded(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf header = { 0 };
	struct lt_oauth1_request request = example("https://api.twitter.com/1.1/statuses/"
						   "update.json?include_entities=true");
	(void)state;

	lt_oauth1_header(&header, &example_keys, &request);

	assert_string_equal(header.p,
			"OAuth oauth_consumer_key=\"xvz1evFS4wEEPTGEFPHBog\", "
			"oauth_nonce=\"kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg\", "
			"oauth_signature=\"hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D\", "
			"oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1318622958\", "
			"oauth_token=\"370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb\", "
			"oauth_version=\"1.0\"");
}

static void secrets_with_reserved_characters_are_encoded_in_the_key(void **state)
{
	const struct lt_oauth1_keys plain = { LT_STR("k"), LT_STR("a&b"), LT_STR("t"),
		LT_STR("c") };
	const struct lt_oauth1_keys shifted = { LT_STR("k"), LT_STR("a"), LT_STR("t"),
		LT_STR("b&c") };
	LT_AUTO(lt_buf_finish) struct lt_buf first = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf second = { 0 };
	struct lt_oauth1_request request = example("https://x.example/");
	(void)state;

	lt_oauth1_signature(&first, &plain, &request);
	lt_oauth1_signature(&second, &shifted, &request);

	assert_string_not_equal(first.p, second.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_signatures_are_those_of_the_published_example),
		cmocka_unit_test(scheme_and_host_are_signed_in_lower_case_without_the_own_port),
		cmocka_unit_test(parameters_are_sorted_by_encoded_name_and_value),
		cmocka_unit_test(a_json_body_is_not_signed_and_the_header_is_encoded),
		cmocka_unit_test(secrets_with_reserved_characters_are_encoded_in_the_key),
	};

	return cmocka_run_group_tests_name("services/announce_oauth1", tests, NULL, NULL);
}
