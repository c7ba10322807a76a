/* SPDX-License-Identifier: MIT */
#include "cli/in_place.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>

static void print_interval(double seconds, double low, double high)
{
    char middle[32], from[32], to[32];
    printf("%s [%s, %s]", anole_text_seconds(middle, sizeof middle, seconds),
           anole_text_seconds(from, sizeof from, low), anole_text_seconds(to, sizeof to, high));
}

void anole_in_place_print(const struct anole_in_place *in_place)
{
    char sum[32];
    if (!in_place->ran) {
        printf("in place: the network was not run as a whole: %s\n", in_place->problem);
        return;
    }
    printf("in place: ");
    print_interval(in_place->seconds, in_place->low, in_place->high);
    printf(", with default kernels ");
    print_interval(in_place->default_seconds, in_place->default_low, in_place->default_high);
    printf(", %.2fx [%.2f, %.2f]", in_place->speedup, in_place->speedup_low,
           in_place->speedup_high);
    printf("; %zu of %zu steps are tuned", in_place->steps_tuned, in_place->steps);
    if (!isnan(in_place->sum_seconds))
        printf(", which alone come to %s",
               anole_text_seconds(sum, sizeof sum, in_place->sum_seconds));
    if (in_place->disturbed)
        printf("; all of it was disturbed by other work");
    printf("\n");
    if (!isnan(in_place->error))
        printf("its outputs are %s: off by %.2g of their largest element, %g may be\n",
               in_place->error <= in_place->tolerance ? "right" : "WRONG", in_place->error,
               in_place->tolerance);
}

void anole_in_place_print_loser(const struct anole_result_info *result)
{
    char own[32], alone[32], best[32], lost[32];
    if (result->found && result->in_place_disturbed)
        printf("%s: in place it was disturbed by other work: what is best alone stays\n",
               result->label);
    if (!result->found || isnan(result->alone_seconds))
        return;
    printf("%s: ", result->label);
    if (isnan(result->in_place_seconds) || isnan(result->alone_in_place_seconds))
        printf("in place it is better than what is best alone (%s, and this %s)\n",
               anole_text_seconds(best, sizeof best, result->alone_seconds),
               anole_text_seconds(alone, sizeof alone, result->seconds));
    else
        printf("in place %s, where what is best alone (%s, and this %s) takes %s\n",
               anole_text_seconds(own, sizeof own, result->in_place_seconds),
               anole_text_seconds(best, sizeof best, result->alone_seconds),
               anole_text_seconds(alone, sizeof alone, result->seconds),
               anole_text_seconds(lost, sizeof lost, result->alone_in_place_seconds));
}

json_t *anole_in_place_json(const struct anole_in_place *in_place)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:b, s:o, s:o, s:o}",
        "seconds", anole_json_real(in_place->seconds), "low", anole_json_real(in_place->low),
        "high", anole_json_real(in_place->high), "default_seconds",
        anole_json_real(in_place->default_seconds), "default_low",
        anole_json_real(in_place->default_low), "default_high",
        anole_json_real(in_place->default_high), "speedup", anole_json_real(in_place->speedup),
        "speedup_low", anole_json_real(in_place->speedup_low), "speedup_high",
        anole_json_real(in_place->speedup_high), "sum_seconds",
        anole_json_real(in_place->sum_seconds), "steps", (json_int_t)in_place->steps, "steps_tuned",
        (json_int_t)in_place->steps_tuned, "rounds", (json_int_t)in_place->rounds, "disturbed",
        (int)in_place->disturbed, "error", anole_json_real(in_place->error), "tolerance",
        anole_json_real(in_place->tolerance), "problem",
        in_place->ran ? json_null() : json_string(in_place->problem));
}
