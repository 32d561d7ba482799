/*
 * What S3 answers in XML, as far as we ask: texts of elements by name, without
 * attributes and namespaces. Pure; anything else in it is passed over.
 */
#ifndef LT_NET_S3_XML_H
#define LT_NET_S3_XML_H

#include <stdbool.h>

#include "base/str.h"

/*
 * The inside of the next element <name>...</name> of *rest, which moves behind
 * it; false: there is none. Borrowed, escapes as they stand.
 */
bool lt_s3_xml_next(struct lt_str *rest, const char *name, struct lt_str *ret);

/* Append the text with &lt; &gt; &quot; &apos; &amp; and numeric references resolved. */
void lt_s3_xml_text(struct lt_buf *buf, struct lt_str inside);

#endif
