/* Header of a journal record in bytes; shared by writer and reader of journals alone. */
#ifndef LT_STORE_JOURNAL_RECORD_H
#define LT_STORE_JOURNAL_RECORD_H

#include "store/journal.h"

#define LT_JOURNAL_MAGIC       "LTJOURN\1"
#define LT_JOURNAL_MAGIC_BYTES 8
#define LT_RECORD_MAGIC        "LTR1"

void lt_record_encode(const struct lt_record *record, uint8_t ret_header[LT_RECORD_HEADER]);

/* False when it is none: magic, checksum, kind or sizes are wrong. `offset` is left alone. */
bool lt_record_decode(const uint8_t header[LT_RECORD_HEADER], struct lt_record *ret_record);

#endif
