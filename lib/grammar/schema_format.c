/* SPDX-License-Identifier: MIT
 * Formats of strings, as patterns. Dates know the length of months and leap years. A format that is none of these is an
 * annotation, as the specification has it: any string will do. */
#include <string.h>

#include "json_schema.h"

#define YEAR "(?:\\d{3}[1-9]|\\d\\d[1-9]\\d|\\d[1-9]\\d\\d|[1-9]\\d{3})" /* few readers have a year 0 */
#define BY_FOUR "(?:0[48]|[2468][048]|[13579][26])"
#define DATE                                                                                                           \
    "(?:" YEAR "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|"                  \
    "02-(?:0[1-9]|1\\d|2[0-8]))|(?:\\d\\d" BY_FOUR "|" BY_FOUR "00)-02-29)"
#define TIME "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)"
#define LABEL "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define ATOM "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
#define BYTE "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
#define HEX4 "[0-9a-fA-F]{1,4}"
#define URI_CHAR "[A-Za-z0-9._~:/@!$&'()*+,;=-]|%[0-9A-Fa-f]{2}"

#define COUNT(unit) "\\d{1,9}" unit
#define FROM_MONTH COUNT("M") "(?:" COUNT("D") ")?"
#define FROM_MINUTE COUNT("M") "(?:" COUNT("S") ")?"
#define CLOCK "T(?:" COUNT("H") "(?:" FROM_MINUTE ")?|" FROM_MINUTE "|" COUNT("S") ")"

static const struct {
    char name[15];
    bool distinct; /* no text is of two of these */
    const char *pattern;
} formats[] = {
    {"date", true, "^" DATE "$"},
    {"time", true, "^" TIME "$"},
    {"date-time", true, "^" DATE "T" TIME "$"},
    {"duration", true,
     "^P(?:" COUNT("W") "|(?:" COUNT("Y") "(?:" FROM_MONTH ")?|" FROM_MONTH "|" COUNT("D") ")(?:" CLOCK ")?|" CLOCK
                                                                                           ")$"},
    {"uuid", true, "^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"},
    {"email", true, "^" ATOM "(?:\\." ATOM ")*@" LABEL "(?:\\." LABEL ")*$"},
    {"hostname", false, "^" LABEL "(?:\\." LABEL ")*$"},
    {"ipv4", true, "^(?:" BYTE "\\.){3}" BYTE "$"},
    {"ipv6", true,
     "^(?:(?:" HEX4 ":){7}" HEX4 "|(?:" HEX4 ":){1,7}:|(?:" HEX4 ":){1,6}:" HEX4 "|(?:" HEX4 ":){1,5}(?::" HEX4
     "){1,2}|(?:" HEX4 ":){1,4}(?::" HEX4 "){1,3}|(?:" HEX4 ":){1,3}(?::" HEX4 "){1,4}|(?:" HEX4 ":){1,2}(?::" HEX4
     "){1,5}|" HEX4 ":(?::" HEX4 "){1,6}|:(?:(?::" HEX4 "){1,7}|:))$"},
    {"uri", false,
     "^[A-Za-z][A-Za-z0-9+.-]*:(?:" URI_CHAR ")*(?:\\?(?:" URI_CHAR "|\\?)*)?(?:#(?:" URI_CHAR "|\\?)*)?$"},
};

const char *lm_schema_format_pattern(const lm_json *format, bool *distinct) {
    const char *name = lm_json_text(format, "");
    if (strncmp(name, "uuid", 4) == 0 && name[4] >= '1' && name[4] <= '5' && !name[5]) name = "uuid";
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(name, formats[i].name) != 0) continue;
        if (distinct) *distinct = formats[i].distinct;
        return formats[i].pattern;
    }
    if (distinct) *distinct = false;
    return NULL;
}
