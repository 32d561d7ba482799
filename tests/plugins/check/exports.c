/* Shows its insides. */
#define BAD_NAME    "exports"
#define BAD_OPTIONS NULL
#include "bad.h"

LT_PLUGIN_EXPORT int exports_inside;
int exports_inside = 71;

BAD_PLUGIN(bad_create, minimal_start, NULL)
