/*
 * The viewer page: all files of one folder, read at start, compressed and
 * hashed once, served from memory. Addresses of the page (/service/UUID,
 * /recordings, /replay/ID, /s/CLASS, /embed/UUID, /overlay/UUID) give
 * index.html. HTML is sent with a strict Content-Security-Policy; only the last
 * two may be shown in frames, and only by whom the settings name.
 * Every file is revalidated by its ETag: an upgrade reaches browsers at once.
 */
#ifndef LT_SERVICES_WEB_WEB_STATIC_H
#define LT_SERVICES_WEB_WEB_STATIC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct lt_http;
struct lt_web_static;

/* frame_ancestors: sources of that directive of the policy, for what is made for frames;
 * connect_to: a server, beside this one, that the page may ask; NULL: none. Copied. */
struct lt_web_static *lt_web_static_create(const char *frame_ancestors, const char *connect_to);
void lt_web_static_destroy(struct lt_web_static *files);

/* Blocking; for start. Bounds: 2000 files, 64 MiB, 8 levels. Names that begin with '.' are left
 * out. */
bool lt_web_static_load(struct lt_web_static *files, const char *dir, struct lt_err *err);
size_t lt_web_static_count(const struct lt_web_static *files);

/* Routes for the addresses of the page and for each file; unmount before destroy. */
void lt_web_static_mount(struct lt_web_static *files, struct lt_http *http);
void lt_web_static_unmount(struct lt_web_static *files, struct lt_http *http);

#endif
