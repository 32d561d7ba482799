#!/usr/bin/env python3
"""Write src/race/upper_table.h: the full upper case mapping of the Unicode
version that this Python knows. Run it again only to follow a newer Unicode."""

import sys
import unicodedata


def mapping():
    for code in range(0x80, 0x110000):
        upper = chr(code).upper()
        if upper != chr(code):
            yield code, [ord(char) for char in upper]


def ranges(pairs):
    """Runs (first, last, step, offset) with steps of one or two."""
    runs = []
    for code, upper in pairs:
        offset = upper - code
        if runs:
            first, last, step, run_offset = runs[-1]
            gap = code - last
            if offset == run_offset and gap in (1, 2) and step in (0, gap):
                runs[-1] = (first, code, gap, offset)
                continue
        runs.append((code, code, 0, offset))
    return [(first, last, step or 1, offset) for first, last, step, offset in runs]


def main():
    pairs = list(mapping())
    out = sys.stdout
    out.write(f"""/*
 * Made by src/tools/upper-table.py from Unicode {unicodedata.unidata_version}; for upper.c alone. ASCII is not in it.
 */
#ifndef LT_RACE_UPPER_TABLE_H
#define LT_RACE_UPPER_TABLE_H

#include <stdint.h>

/* Every step-th character from first to last: add the offset. Ascending. */
struct upper_range {{
	uint32_t first, last;
	uint32_t step;
	int32_t offset;
}};

/* Characters that become several, ending with 0 when fewer than three. Ascending. */
struct upper_special {{
	uint32_t from;
	uint32_t to[3];
}};

/* clang-format off */
static const struct upper_range upper_ranges[] = {{
""")
    for first, last, step, offset in ranges([(c, u[0]) for c, u in pairs if len(u) == 1]):
        out.write(f"\t{{ 0x{first:04X}, 0x{last:04X}, {step}, {offset} }},\n")
    out.write("};\n\nstatic const struct upper_special upper_specials[] = {\n")
    for code, upper in pairs:
        if len(upper) > 1:
            parts = ", ".join(f"0x{char:04X}" for char in upper)
            out.write(f"\t{{ 0x{code:04X}, {{ {parts} }} }},\n")
    out.write("};\n/* clang-format on */\n\n#endif\n")


main()
