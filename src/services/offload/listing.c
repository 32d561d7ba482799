/* What the index says of the recordings in the directory. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/fsutil.h"
#include "services/offload/offload_priv.h"
#include "store/index.h"

#define INDEX_MAX_BYTES (256u << 20)

struct lt_offload_listing {
	struct timespec written;          /* the index, when it was read */
	struct lt_offload_listed *listed; /* by name */
	size_t n;
};

void lt_offload_listing_free(struct lt_offload_listing *listing)
{
	if (!listing) {
		return;
	}
	for (size_t i = 0; i < listing->n; i++) {
		lt_free(listing->listed[i].name);
		lt_free(listing->listed[i].text);
	}
	lt_free(listing->listed);
	lt_free(listing);
}

static uint64_t hash_of(const char *text)
{
	uint8_t digest[LT_SHA256_BYTES];
	uint64_t hash;

	lt_sha256(lt_str_from(text), digest);
	memcpy(&hash, digest, sizeof(hash));
	return hash ? hash : 1;
}

static int by_name(const void *a, const void *b)
{
	const struct lt_offload_listed *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int has_name(const void *name, const void *listed)
{
	return strcmp(name, ((const struct lt_offload_listed *)listed)->name);
}

static void read_index(struct lt_offload_listing *listing, const char *path)
{
	LT_AUTO(cJSON_Delete) cJSON *index = lt_json_parse_file(path, INDEX_MAX_BYTES, NULL);
	const cJSON *entry;

	listing->listed =
			lt_calloc((size_t)cJSON_GetArraySize(index) + 1, sizeof(*listing->listed));
	cJSON_ArrayForEach(entry, index) {
		struct lt_offload_listed *listed = &listing->listed[listing->n];
		struct lt_buf text = { 0 };
		struct lt_str name;

		if (lt_json_get_str(entry, "filename", &name, NULL)) {
			lt_json_print(&text, entry, LT_JSON_UTF8);
			listed->name = lt_str_dup(name);
			listed->text = lt_buf_steal(&text);
			listed->hash = hash_of(listed->text);
			listing->n++;
		}
	}
	if (listing->n > 0) {
		qsort(listing->listed, listing->n, sizeof(*listing->listed), by_name);
	}
}

struct lt_offload_listing *lt_offload_listing_read_take(
		const char *directory, struct lt_offload_listing *before)
{
	LT_AUTO(lt_free) char *path = lt_path_join(directory, LT_INDEX_NAME);
	struct lt_offload_listing *listing;
	struct stat info = { 0 };

	if (stat(path, &info) == 0 && before && before->written.tv_sec == info.st_mtim.tv_sec &&
			before->written.tv_nsec == info.st_mtim.tv_nsec) {
		return before;
	}
	lt_offload_listing_free(before);
	listing = lt_zalloc(sizeof(*listing));
	listing->written = info.st_mtim;
	read_index(listing, path);
	return listing;
}

const struct lt_offload_listed *lt_offload_listing_find(
		const struct lt_offload_listing *listing, const char *name)
{
	return listing->n == 0 ? NULL
			       : bsearch(name, listing->listed, listing->n,
						 sizeof(*listing->listed), has_name);
}
