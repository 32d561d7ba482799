/*
 * Subjects of the bus (bus.h) for topics. Parts of a topic stay parts of the
 * subject, so that people can watch with the engine's own tools; what may not
 * stand there is written %XX, an empty part "%". The way back is not needed:
 * messages carry their topic. Pure.
 */
#ifndef LT_MESH_SUBJECT_H
#define LT_MESH_SUBJECT_H

#include "base/str.h"

/* Append prefix, '.', kind, '.' and the topic. */
void lt_subject_write(
		struct lt_buf *buf, const char *prefix, const char *kind, struct lt_str topic);

#endif
