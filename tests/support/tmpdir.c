#include "support/tmpdir.h"

#include <dirent.h>
#include <ftw.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "support/test.h"

void tmpdir_make(char path[TMPDIR_MAX])
{
	strcpy(path, "/tmp/lt-test-XXXXXX");
	assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *st LT_UNUSED, int flag LT_UNUSED,
		struct FTW *ftw LT_UNUSED)
{
	return remove(path);
}

void tmpdir_remove(const char *path)
{
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *in_dir(const char *dir, const char *name)
{
	static char buffers[8][512];
	static size_t next;
	char *buffer = buffers[next++ % LT_ARRAY_LEN(buffers)];

	assert_true(snprintf(buffer, sizeof(buffers[0]), "%s/%s", dir, name) <
			(int)sizeof(buffers[0]));
	return buffer;
}

void file_write(const char *path, struct lt_str bytes)
{
	/* Emptying a file makes some file systems write it out at once, which takes long. */
	unlink(path);
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
	assert_int_equal(fclose(file), 0);
}

struct lt_buf file_bytes(const char *path)
{
	struct lt_buf bytes = { 0 };
	struct lt_err err = { .code = LT_E_NONE };

	if (!lt_file_read(path, 1u << 30, &bytes, &err)) {
		fail_msg("%s", err.msg);
	}
	return bytes;
}

char *dir_names(const char *path)
{
	struct dirent **names;
	struct lt_buf text = { 0 };
	int count = scandir(path, &names, NULL, alphasort);

	assert_true(count >= 0);
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0) {
			lt_buf_add_c(&text, text.n ? " " : "");
			lt_buf_add_c(&text, names[i]->d_name);
		}
		free(names[i]);
	}
	free(names);
	return lt_buf_steal(&text);
}
