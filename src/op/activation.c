/* SPDX-License-Identifier: MIT */
#include "op/activation.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *text;
    uint32_t parameters;
    float alpha, beta;
} table[] = {
#define X(name, value, text, parameters, alpha, beta) [value] = {text, parameters, alpha, beta},
    ANOLE_ACTIVATION_MAP(X)
#undef X
};

#define COUNT (sizeof table / sizeof *table)

const char *anole_activation_text(uint32_t activation)
{
    return activation < COUNT ? table[activation].text : "unknown";
}

bool anole_activation_find(uint32_t *activation, const char *text)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        if (strcmp(table[i].text, text) == 0) {
            *activation = i;
            return true;
        }
    }
    return false;
}

uint32_t anole_activation_parameters(uint32_t activation)
{
    return activation < COUNT ? table[activation].parameters : 0;
}

struct anole_activate anole_activation_default(uint32_t activation)
{
    struct anole_activate a = {.activation = activation};
    if (activation < COUNT) {
        a.alpha = table[activation].alpha;
        a.beta = table[activation].beta;
    }
    return a;
}

enum anole_status anole_activation_check(const struct anole_activate *a, struct anole_error *error)
{
    if (a->activation >= COUNT)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task's activation is %u; expected none (0) to %s (%zu)", a->activation,
                          table[COUNT - 1].text, COUNT - 1);
    const uint32_t parameters = table[a->activation].parameters;
    const float values[] = {a->alpha, a->beta};
    for (uint32_t i = 0; i < 2; i++) {
        if (i >= parameters && (values[i] != 0 || signbit(values[i])))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "the activation %s has %u parameters, but %s is %g; expected 0",
                              table[a->activation].text, parameters, i ? "beta" : "alpha",
                              (double)values[i]);
        if (!isfinite(values[i]) || (values[i] == 0 && signbit(values[i])))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "the activation %s has a parameter of %g; expected a finite number, "
                              "and 0 rather than -0",
                              table[a->activation].text, (double)values[i]);
    }
    if (a->activation == ANOLE_ACT_CLIP && a->alpha > a->beta)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the activation clip has bounds of %g and %g; expected the lower first",
                          (double)a->alpha, (double)a->beta);
    return ANOLE_DONE;
}

static double between(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

double anole_activation_apply(const struct anole_activate *a, double x)
{
    const double alpha = (double)a->alpha, beta = (double)a->beta;
    switch (a->activation) {
    case ANOLE_ACT_RELU:
        return x < 0 ? 0 : x;
    case ANOLE_ACT_RELU6:
        return between(x, 0, 6);
    case ANOLE_ACT_LEAKY_RELU:
        return x < 0 ? alpha * x : x;
    case ANOLE_ACT_CLIP:
        return between(x, alpha, beta);
    case ANOLE_ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case ANOLE_ACT_SILU:
        return x / (1 + exp(-alpha * x));
    case ANOLE_ACT_TANH:
        return tanh(x);
    case ANOLE_ACT_HARD_SIGMOID:
        return between(alpha * x + beta, 0, 1);
    case ANOLE_ACT_HARD_SWISH:
        return x * between(x / 6 + 0.5, 0, 1);
    case ANOLE_ACT_ELU:
        return x < 0 ? alpha * expm1(x) : x;
    case ANOLE_ACT_GELU:
        return x / 2 * (1 + erf(x * M_SQRT1_2));
    case ANOLE_ACT_GELU_TANH:
        return x / 2 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    default:
        return x;
    }
}

/* The largest slope; of silu and gelu rounded up from 1.0998 and 1.129, of hard_swish where
 * it bends: 1.5. */
static double slope(const struct anole_activate *a)
{
    const double alpha = fabs((double)a->alpha);
    switch (a->activation) {
    case ANOLE_ACT_SIGMOID:
        return 0.25;
    case ANOLE_ACT_SILU:
    case ANOLE_ACT_GELU:
    case ANOLE_ACT_GELU_TANH:
        return 1.13;
    case ANOLE_ACT_HARD_SIGMOID:
        return alpha;
    case ANOLE_ACT_HARD_SWISH:
        return 1.5;
    case ANOLE_ACT_LEAKY_RELU:
    case ANOLE_ACT_ELU:
        return alpha > 1 ? alpha : 1;
    default:
        return 1;
    }
}

double anole_activation_error(const struct anole_activate *a, double value, double error)
{
    /* OpenCL lets exp be off by 3 units, tanh by 5, erf by 16; next to 0, where 1 + erf(x)
     * cancels, by as many units of 1. */
    const double rounding = a->activation > ANOLE_ACT_RELU6 ? 32 * 0x1p-24 : 0;
    return error * slope(a) + rounding * (1 + fabs(value));
}
