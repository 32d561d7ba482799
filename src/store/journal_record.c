#include "store/journal_record.h"

enum {
	AT_KIND = 4,
	AT_TIME = 8,
	AT_RAW_BYTES = 16,
	AT_PACKED_BYTES = 20,
	AT_RAW_CRC = 24,
	AT_PACKED_CRC = 28,
	AT_HEADER_CRC = 36,
};

static void put(uint8_t *at, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		at[i] = (uint8_t)(value >> (8 * i));
	}
}

static uint64_t get(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = bytes; i-- > 0;) {
		value = value << 8 | at[i];
	}
	return value;
}

static uint32_t header_crc(const uint8_t header[LT_RECORD_HEADER])
{
	return lt_crc32((struct lt_str){ (const char *)header, AT_HEADER_CRC });
}

void lt_record_encode(const struct lt_record *record, uint8_t ret_header[LT_RECORD_HEADER])
{
	const struct lt_str magic = LT_STR(LT_RECORD_MAGIC);

	memset(ret_header, 0, LT_RECORD_HEADER);
	memcpy(ret_header, magic.p, magic.n);
	ret_header[AT_KIND] = (uint8_t)record->kind;
	put(ret_header + AT_TIME, (uint64_t)record->time_s, 8);
	put(ret_header + AT_RAW_BYTES, record->raw_bytes, 4);
	put(ret_header + AT_PACKED_BYTES, record->packed_bytes, 4);
	put(ret_header + AT_RAW_CRC, record->raw_crc, 4);
	put(ret_header + AT_PACKED_CRC, record->packed_crc, 4);
	put(ret_header + AT_HEADER_CRC, header_crc(ret_header), 4);
}

bool lt_record_decode(const uint8_t header[LT_RECORD_HEADER], struct lt_record *ret_record)
{
	uint8_t kind = header[AT_KIND];

	if (memcmp(header, LT_RECORD_MAGIC, 4) != 0 ||
			get(header + AT_HEADER_CRC, 4) != header_crc(header)) {
		return false;
	}
	*ret_record = (struct lt_record){
		.kind = kind,
		.time_s = (int64_t)get(header + AT_TIME, 8),
		.raw_bytes = (uint32_t)get(header + AT_RAW_BYTES, 4),
		.packed_bytes = (uint32_t)get(header + AT_PACKED_BYTES, 4),
		.raw_crc = (uint32_t)get(header + AT_RAW_CRC, 4),
		.packed_crc = (uint32_t)get(header + AT_PACKED_CRC, 4),
	};
	/* Packing can add a little to what does not pack. */
	return kind >= LT_RECORD_MANIFEST && kind <= LT_RECORD_END && ret_record->time_s >= 0 &&
			ret_record->time_s <= LT_FRAME_TIME_MAX &&
			ret_record->raw_bytes <= LT_FRAME_BYTES_MAX &&
			ret_record->packed_bytes <= LT_FRAME_BYTES_MAX + LT_FRAME_BYTES_MAX / 64;
}
