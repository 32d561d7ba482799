#include "support/plugin_fixture.h"
#include "support/test.h"

static void a_sound_plugin_is_loaded(void **state)
{
	(void)state;
	struct lt_plugins *plugins = lt_plugins_create("", (struct lt_log){ 0 });
	char *path = plugin_file("probe");

	const struct lt_plugin *plugin = lt_plugins_load(plugins, path, NULL);

	assert_non_null(plugin);
	assert_string_equal(plugin->desc.version, "1.2");
	assert_non_null(plugin->ops.update);
	assert_ptr_equal(lt_plugins_find(plugins, LT_STR("probe"), NULL), plugin);
	lt_plugins_destroy(plugins);
	lt_free(path);
}

static void expect_refused(const char *name, const char *part_of_reason)
{
	struct lt_plugins *plugins = lt_plugins_create("", (struct lt_log){ 0 });
	char *path = plugin_file(name);
	struct lt_err err = { 0 };

	assert_null(lt_plugins_load(plugins, path, &err));

	assert_non_null(strstr(err.msg, name));
	if (strstr(err.msg, part_of_reason) == NULL) {
		fail_msg("expected \"%s\" in \"%s\"", part_of_reason, err.msg);
	}
	lt_plugins_destroy(plugins);
	lt_free(path);
}

static void unsound_plugins_are_refused_with_a_sentence(void **state)
{
	(void)state;
	expect_refused("bad_symbol", "no symbol lt_plugin_entry_v1");
	expect_refused("bad_major", "made for plugin interface 2.0, this is 1.0");
	expect_refused("bad_missing", "lacks the function \"start\"");
	expect_refused("bad_name", "its name is not made of a-z, 0-9 and _");
	expect_refused("bad_option",
			"--recording would be read as the service's own --recording-file");
	expect_refused("nothing", "No such file");
}

static void an_older_plugin_lacks_what_came_later(void **state)
{
	(void)state;
	struct lt_plugins *plugins = lt_plugins_create("", (struct lt_log){ 0 });
	char *path = plugin_file("older");

	const struct lt_plugin *plugin = lt_plugins_load(plugins, path, NULL);

	assert_non_null(plugin);
	assert_non_null(plugin->ops.destroy);
	assert_null(plugin->ops.update);
	lt_plugins_destroy(plugins);
	lt_free(path);
}

static void plugins_of_later_minor_versions_and_of_cxx_are_loaded(void **state)
{
	(void)state;
	struct lt_plugins *plugins = lt_plugins_create("", (struct lt_log){ 0 });
	char *newer = plugin_file("newer"), *cxx = plugin_file("cxx");

	assert_non_null(lt_plugins_load(plugins, newer, NULL));
	assert_non_null(lt_plugins_load(plugins, cxx, NULL));

	lt_plugins_destroy(plugins);
	lt_free(newer);
	lt_free(cxx);
}

static void a_second_plugin_of_one_name_is_refused(void **state)
{
	(void)state;
	struct lt_plugins *plugins = lt_plugins_create("", (struct lt_log){ 0 });
	char *first = plugin_file("probe"), *second = plugin_file("probe_dup");
	struct lt_err err = { 0 };

	assert_non_null(lt_plugins_load(plugins, first, NULL));
	assert_null(lt_plugins_load(plugins, second, &err));

	assert_int_equal(err.code, LT_E_EXISTS);
	assert_non_null(strstr(err.msg, "\"probe\" is loaded from"));
	lt_plugins_destroy(plugins);
	lt_free(first);
	lt_free(second);
}

static void a_scan_lists_good_and_broken_files(void **state)
{
	(void)state;
	char *folder = plugin_folder();
	struct lt_plugins *plugins = lt_plugins_create(folder, (struct lt_log){ 0 });

	lt_plugins_scan(plugins);
	lt_plugins_scan(plugins);
	LT_AUTO(cJSON_Delete) cJSON *list = lt_plugins_list(plugins);

	assert_int_equal(cJSON_GetArraySize(lt_json_get(list, "plugins")), 5);
	assert_int_equal(cJSON_GetArraySize(lt_json_get(list, "broken")), 6);
	lt_plugins_destroy(plugins);
	lt_free(folder);
}

static void an_unknown_name_suggests_the_nearest(void **state)
{
	(void)state;
	char *folder = plugin_folder();
	struct lt_plugins *plugins = lt_plugins_create(folder, (struct lt_log){ 0 });
	struct lt_err err;

	assert_null(lt_plugins_find(plugins, LT_STR("odler"), &err));
	assert_string_equal(err.msg, "no plugin is named \"odler\" (did you mean older?)");
	assert_null(lt_plugins_find(plugins, LT_STR("bad_missing"), &err));
	assert_non_null(strstr(err.msg, "lacks the function"));

	lt_plugins_destroy(plugins);
	lt_free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_plugin_is_loaded),
		cmocka_unit_test(unsound_plugins_are_refused_with_a_sentence),
		cmocka_unit_test(an_older_plugin_lacks_what_came_later),
		cmocka_unit_test(plugins_of_later_minor_versions_and_of_cxx_are_loaded),
		cmocka_unit_test(a_second_plugin_of_one_name_is_refused),
		cmocka_unit_test(a_scan_lists_good_and_broken_files),
		cmocka_unit_test(an_unknown_name_suggests_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
