/* SPDX-License-Identifier: MIT
 * strftime on a date that the caller gave. Directives it does not know are copied as they are. */
#include "template_strftime.h"

static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

static bool is_leap(int32_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int32_t day_of_year(const lm_template_clock *clock) {
    static const int16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    return before[clock->month - 1] + clock->day + (clock->month > 2 && is_leap(clock->year));
}

/* 0 is Sunday. */
static int32_t day_of_week(const lm_template_clock *clock) {
    int32_t years = clock->year - 1;
    return (years + years / 4 - years / 100 + years / 400 + day_of_year(clock)) % 7;
}

static bool put_number(lm_text_builder *out, int32_t value, int width, char fill) {
    char text[12];
    int n = 0;
    for (; value || n == 0; value /= 10) text[n++] = (char)('0' + value % 10);
    while (n < width) text[n++] = fill;
    for (int i = n - 1; i >= 0; i--)
        if (!lm_builder_bytes(out, &text[i], 1, LM_ORIGIN_TEMPLATE)) return false;
    return true;
}

static bool put_pattern(lm_text_builder *out, const lm_template_clock *clock, const char *pattern);

static bool put_directive(lm_text_builder *out, const lm_template_clock *clock, char directive) {
    int32_t hour12 = clock->hour % 12 ? clock->hour % 12 : 12, weekday = day_of_week(clock), yday = day_of_year(clock);
    char unknown[2] = {'%', directive};
    switch (directive) {
    case 'Y': return put_number(out, clock->year, 4, '0');
    case 'C': return put_number(out, clock->year / 100, 2, '0');
    case 'y': return put_number(out, clock->year % 100, 2, '0');
    case 'm': return put_number(out, clock->month, 2, '0');
    case 'd': return put_number(out, clock->day, 2, '0');
    case 'e': return put_number(out, clock->day, 2, ' ');
    case 'H': return put_number(out, clock->hour, 2, '0');
    case 'I': return put_number(out, hour12, 2, '0');
    case 'M': return put_number(out, clock->minute, 2, '0');
    case 'S': return put_number(out, clock->second, 2, '0');
    case 'f': return put_number(out, 0, 6, '0');
    case 'j': return put_number(out, yday, 3, '0');
    case 'w': return put_number(out, weekday, 1, '0');
    case 'u': return put_number(out, weekday ? weekday : 7, 1, '0');
    case 'U': return put_number(out, (yday + 6 - weekday) / 7, 2, '0');
    case 'W': return put_number(out, (yday + 6 - (weekday + 6) % 7) / 7, 2, '0');
    case 'p': return lm_builder_word(out, clock->hour < 12 ? "AM" : "PM");
    case 'B': return lm_builder_word(out, months[clock->month - 1]);
    case 'b':
    case 'h': return lm_builder_bytes(out, months[clock->month - 1], 3, LM_ORIGIN_TEMPLATE);
    case 'A': return lm_builder_word(out, days[weekday]);
    case 'a': return lm_builder_bytes(out, days[weekday], 3, LM_ORIGIN_TEMPLATE);
    case 'D':
    case 'x': return put_pattern(out, clock, "m/d/y");
    case 'F': return put_pattern(out, clock, "Y-m-d");
    case 'T':
    case 'X': return put_pattern(out, clock, "H:M:S");
    case 'R': return put_pattern(out, clock, "H:M");
    case 'c': return put_pattern(out, clock, "a b e H:M:S Y");
    case 'n': return lm_builder_word(out, "\n");
    case 't': return lm_builder_word(out, "\t");
    case 'z':
    case 'Z': return true; /* a date without a zone */
    case '%': return lm_builder_word(out, "%");
    default: return lm_builder_bytes(out, unknown, 2, LM_ORIGIN_TEMPLATE);
    }
}

/* Letters are directives, all else is copied. */
static bool put_pattern(lm_text_builder *out, const lm_template_clock *clock, const char *pattern) {
    for (; *pattern; pattern++) {
        bool letter = (*pattern | 32) >= 'a' && (*pattern | 32) <= 'z';
        if (!(letter ? put_directive(out, clock, *pattern) : lm_builder_bytes(out, pattern, 1, LM_ORIGIN_TEMPLATE)))
            return false;
    }
    return true;
}

bool lm_template_strftime(lm_text_builder *out, const lm_template_clock *clock, const lm_text *format) {
    for (size_t pos = 0; pos < format->n;) {
        size_t from = pos;
        while (pos < format->n && format->bytes[pos] != '%') pos++;
        if (!lm_builder_slice(out, format, from, pos)) return false;
        if (pos == format->n) return true;
        if (++pos == format->n) return lm_builder_word(out, "%");
        if (format->bytes[pos] == '-' && pos + 1 < format->n) { /* GNU: no padding */
            lm_text_builder padded;
            lm_builder_init(&padded, out->interp);
            if (!put_directive(&padded, clock, format->bytes[pos + 1])) return false;
            size_t skip = 0;
            while (skip + 1 < padded.used && (padded.bytes[skip] == '0' || padded.bytes[skip] == ' ')) skip++;
            if (!lm_builder_bytes(out, padded.bytes + skip, padded.used - skip, LM_ORIGIN_TEMPLATE)) return false;
            pos += 2;
            continue;
        }
        if (!put_directive(out, clock, format->bytes[pos++])) return false;
    }
    return true;
}
