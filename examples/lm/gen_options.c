/* SPDX-License-Identifier: MIT
 * Sampler options: table, what a model's file recommends, and the sampler made from both. */
#include "gen_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *take_bias(void *value, const char *text) {
    sampler_options *o = value;
    char *end;
    double bias;
    long token = strtol(text, &end, 10);
    if (o->params.n_biases == SAMPLER_MAX_BIASES) return "is one too many";
    if (end == text || *end != '=' || token < 0 || token > INT32_MAX) return "is not ID=BIAS";
    if (strcmp(end + 1, "-inf") == 0)
        bias = -HUGE_VAL;
    else if (!read_double(end + 1, &bias))
        return "is not ID=BIAS";
    o->biases[o->params.n_biases++] = (lm_logit_bias){(lm_token)token, (float)bias};
    return NULL;
}

static const char *take_breaker(void *value, const char *text) {
    sampler_options *o = value;
    if (o->params.n_dry_breakers == SAMPLER_MAX_BREAKERS) return "is one too many";
    o->params.dry_breakers = o->breakers;
    if (strcmp(text, "none") != 0) o->breakers[o->params.n_dry_breakers++] = text;
    return NULL;
}

size_t sampler_options_init(sampler_options *o, const char *command_name, option *table) {
    *o = (sampler_options){.command_name = command_name, .params = LM_SAMPLER_PARAMS_INIT};
    lm_sampler_params *p = &o->params;
    p->biases = o->biases;
    const option rows[] = {
        {"--seed", "-s", OPTION_UINT, &p->seed, "N", "seed of the random choices (-1: a random one)", NULL},
        {"--temp", NULL, OPTION_FLOAT, &p->temperature, "T", "temperature; 0 takes the likeliest token", NULL},
        {"--top-k", NULL, OPTION_INT, &p->top_k, "K", "keep the K likeliest; 0 off", NULL},
        {"--top-p", NULL, OPTION_FLOAT, &p->top_p, "P", "keep the likeliest up to probability P; 1 off", NULL},
        {"--min-p", NULL, OPTION_FLOAT, &p->min_p, "P", "drop what is less likely than P times the best; 0 off", NULL},
        {"--typical-p", "--typ-p", OPTION_FLOAT, &p->typical_p, "P", "keep the typical up to probability P; 1 off",
         NULL},
        {"--top-n-sigma", NULL, OPTION_FLOAT, &p->top_n_sigma, "N",
         "keep logits within N deviations of the best; -1 off", NULL},
        {"--xtc-probability", NULL, OPTION_FLOAT, &p->xtc_probability, "P",
         "how often the top choices are excluded; 0 off", NULL},
        {"--xtc-threshold", NULL, OPTION_FLOAT, &p->xtc_threshold, "P", "which choices count as top", NULL},
        {"--min-keep", NULL, OPTION_INT, &p->min_keep, "N", "what the cuts above leave at least", NULL},
        {"--dynatemp-range", NULL, OPTION_FLOAT, &p->dynatemp_range, "R",
         "let the temperature move by R with the entropy; 0 off", NULL},
        {"--dynatemp-exp", NULL, OPTION_FLOAT, &p->dynatemp_exponent, "E", "and how sharply", NULL},
        {"--repeat-last-n", NULL, OPTION_INT, &p->repeat_last_n, "N", "tokens the penalties look back", NULL},
        {"--repeat-penalty", NULL, OPTION_FLOAT, &p->repeat_penalty, "X", "divide logits of repeated tokens; 1 off",
         NULL},
        {"--frequency-penalty", NULL, OPTION_FLOAT, &p->frequency_penalty, "X", "subtract per repetition; 0 off", NULL},
        {"--presence-penalty", NULL, OPTION_FLOAT, &p->presence_penalty, "X", "subtract once when repeated; 0 off",
         NULL},
        {"--dry-multiplier", NULL, OPTION_FLOAT, &p->dry_multiplier, "X", "penalty of repeated phrases; 0 off", NULL},
        {"--dry-base", NULL, OPTION_FLOAT, &p->dry_base, "X", "its growth with the phrase's length", NULL},
        {"--dry-allowed-length", NULL, OPTION_INT, &p->dry_allowed_length, "N", "phrases this long are free", NULL},
        {"--dry-penalty-last-n", "--dry-last-n", OPTION_INT, &p->dry_last_n, "N", "tokens it looks back", NULL},
        {"--dry-sequence-breaker", NULL, OPTION_CALL, o, "TEXT",
         "text that ends a phrase (repeatable; none: no breaker)", take_breaker},
        {"--mirostat", NULL, OPTION_INT, &p->mirostat, "N", "1 or 2: mirostat in place of the other members; 0 off",
         NULL},
        {"--mirostat-ent", NULL, OPTION_FLOAT, &p->mirostat_tau, "X", "its target entropy", NULL},
        {"--mirostat-lr", NULL, OPTION_FLOAT, &p->mirostat_eta, "X", "its learning rate", NULL},
        {"--adaptive-target", NULL, OPTION_FLOAT, &p->adaptive_target, "P", "aim at choices of probability P; -1 off",
         NULL},
        {"--adaptive-decay", NULL, OPTION_FLOAT, &p->adaptive_decay, "X", "and how long it remembers", NULL},
        {"--samplers", NULL, OPTION_TEXT, (void *)&p->order, "LIST",
         "members and their order, \"top_k;top_p;temperature\"", NULL},
        {"--logit-bias", NULL, OPTION_CALL, o, "ID=BIAS", "add to a token's logit (repeatable; -inf forbids it)",
         take_bias},
        {"--ignore-eos", NULL, OPTION_FLAG, &o->ignore_eos, NULL, "never choose an end token", NULL},
        {"--reasoning-budget", NULL, OPTION_INT, &p->reasoning_budget, "N",
         "tokens of reasoning allowed; -1 any, 0 none", NULL},
        {"--reasoning-start", NULL, OPTION_TEXT, (void *)&o->reasoning_start, "TEXT",
         "what opens reasoning, such as <think>", NULL},
        {"--reasoning-end", NULL, OPTION_TEXT, (void *)&o->reasoning_end, "TEXT", "what closes it", NULL},
        {"--reasoning-message", NULL, OPTION_TEXT, (void *)&o->reasoning_message, "TEXT",
         "said before it is closed by force", NULL},
    };
    memcpy(table, rows, sizeof rows);
    return sizeof rows / sizeof *rows;
}

static void recommend_float(const lm_model *model, const char *key, float *out) {
    char text[64];
    double value;
    size_t size;
    if (lm_model_metadata_json(model, key, 1, text, sizeof text, &size) == LM_OK && size < sizeof text &&
        read_double(text, &value))
        *out = (float)value;
}

static void recommend_int(const lm_model *model, const char *key, int32_t *out) {
    float value = (float)*out;
    recommend_float(model, key, &value);
    if (value > -1e6f && value < 1e6f) *out = (int32_t)value;
}

void sampler_options_recommend(sampler_options *o, const lm_model *model) {
    lm_sampler_params *p = &o->params;
    p->n_biases = p->n_dry_breakers = 0; /* the command line will give them again */
    recommend_int(model, "general.sampling.top_k", &p->top_k);
    recommend_float(model, "general.sampling.top_p", &p->top_p);
    recommend_float(model, "general.sampling.min_p", &p->min_p);
    recommend_float(model, "general.sampling.xtc_probability", &p->xtc_probability);
    recommend_float(model, "general.sampling.xtc_threshold", &p->xtc_threshold);
    recommend_float(model, "general.sampling.temp", &p->temperature);
    recommend_int(model, "general.sampling.penalty_last_n", &p->repeat_last_n);
    recommend_float(model, "general.sampling.penalty_repeat", &p->repeat_penalty);
    recommend_int(model, "general.sampling.mirostat", &p->mirostat);
    recommend_float(model, "general.sampling.mirostat_tau", &p->mirostat_tau);
    recommend_float(model, "general.sampling.mirostat_eta", &p->mirostat_eta);
}

/* The text of a reasoning tag as tokens, control tokens included. */
static int tag_tokens(const sampler_options *o, const lm_model *model, const char *text, token_list *out,
                      lm_token_span *span) {
    int status = tokenize_text(o->command_name, model, text, strlen(text), LM_TOKENIZE_PARSE_SPECIAL, out);
    *span = (lm_token_span){out->data, out->count};
    return status;
}

static int finish_reasoning(sampler_options *o, const lm_model *model) {
    lm_sampler_params *p = &o->params;
    if (!o->reasoning_start && !o->reasoning_end) {
        if (p->reasoning_budget >= 0 || o->reasoning_message)
            return usage_error(o->command_name, "a reasoning budget needs --reasoning-start and --reasoning-end");
        return EXIT_GOOD;
    }
    if (!o->reasoning_start || !o->reasoning_end)
        return usage_error(o->command_name, "--reasoning-start and --reasoning-end belong together");
    int status = tag_tokens(o, model, o->reasoning_start, &o->start, &p->reasoning_start);
    if (status == EXIT_GOOD) status = tag_tokens(o, model, o->reasoning_end, &o->end, &o->ends[0]);
    p->reasoning_ends = o->ends;
    p->n_reasoning_ends = 1;
    if (status != EXIT_GOOD || !o->reasoning_message) return status;
    status = tag_tokens(o, model, o->reasoning_message, &o->message, &p->reasoning_forced);
    for (size_t i = 0; i < o->end.count && status == EXIT_GOOD; i++)
        if (!token_list_add(&o->message, o->end.data[i])) status = failure(o->command_name, "out of memory");
    p->reasoning_forced = (lm_token_span){o->message.data, o->message.count};
    return status;
}

/* "mirostat_tau: -1 is not in ..." of the option that fills this member of lm_sampler_params. */
static int refuse_choice(const sampler_options *o, const lm_error *error) {
    static const struct {
        const char *member, *option;
    } spellings[] = {{"order", "samplers"},
                     {"biases", "logit-bias"},
                     {"dry_breakers", "dry-sequence-breaker"},
                     {"temperature", "temp"},
                     {"dynatemp_exponent", "dynatemp-exp"},
                     {"mirostat_tau", "mirostat-ent"},
                     {"mirostat_eta", "mirostat-lr"},
                     {"reasoning_ends", "reasoning-end"}};
    char name[64];
    size_t n = strcspn(error->message, ":");
    if (n >= sizeof name) return failure_of(o->command_name, error);
    for (size_t i = 0; i <= n; i++) name[i] = error->message[i] == '_' ? '-' : error->message[i];
    name[n] = '\0';
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (strlen(spellings[i].member) == n && memcmp(error->message, spellings[i].member, n) == 0)
            strcpy(name, spellings[i].option);
    return usage_error(o->command_name, "--%s%s", name, error->message + n);
}

int sampler_options_finish(sampler_options *o, lm_model *model, lm_sampler **out) {
    lm_error error;
    o->params.ignore_eos = o->ignore_eos;
    o->params.probs_after = o->probs_after;
    int status = finish_reasoning(o, model);
    if (status != EXIT_GOOD || lm_sampler_for_model(model, &o->params, out, &error) == LM_OK) return status;
    if (error.status == LM_ERR_ARGUMENT || error.status == LM_ERR_RANGE) return refuse_choice(o, &error);
    return failure_of(o->command_name, &error);
}

void sampler_options_free(sampler_options *o) {
    token_list_free(&o->start);
    token_list_free(&o->end);
    token_list_free(&o->message);
}
