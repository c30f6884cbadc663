/* SPDX-License-Identifier: MIT
 * Common options, opening models, reading inputs. */
#include "program.h"

#ifdef LM_HAVE_BOX
#include <lm/box.h>
#endif

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1 << 30) /* bytes of a text or of a JSON file; something endless shows at that */

int check_common_options(const char *command_name, const common_options *common) {
    lm_runtime *runtime;
    int status = open_runtime(command_name, common, &runtime);
    if (status == EXIT_GOOD) lm_runtime_destroy(runtime);
    return status;
}

void common_options_init(common_options *common) {
    common->n_threads = 0;
    common->cpu = NULL;
    common->table[0] =
        (option){"-t", "--threads", OPTION_INT, &common->n_threads, "N", "threads (one per performance core)", NULL};
    common->table[1] =
        (option){"--cpu",      NULL,    OPTION_TEXT,
                 &common->cpu, "LEVEL", "instruction set: generic avx2 avx2vnni avx512vnni neon dotprod i8mm",
                 NULL};
    common->table[2] = (option){0};
}

int open_runtime(const char *command_name, const common_options *common, lm_runtime **out) {
    lm_runtime_params params = LM_RUNTIME_PARAMS_INIT;
    lm_error error;
    params.n_threads = common->n_threads;
    params.cpu = common->cpu;
    return lm_runtime_create(&params, out, &error) == LM_OK ? EXIT_GOOD : failure_of(command_name, &error);
}

lm_status open_path(const char *path, const lm_model_params *params, lm_model **out, lm_error *error) {
#ifdef LM_HAVE_BOX
    if (!path) return lm_model_open_builtin(params, out, error);
#endif
    return lm_model_open(path, params, out, error);
}

const char *shown_path(const char *path) { return path ? path : "the built-in model"; }

static int open_model_file(const char *command_name, lm_runtime *runtime, const char *path, bool vocab_only,
                           lm_model **out) {
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    lm_error error;
    params.runtime = runtime;
    params.vocab_only = vocab_only;
    params.prefetch = !vocab_only;
    if (open_path(path, &params, out, &error) == LM_OK) return EXIT_GOOD;
    return failure_of_file(command_name, shown_path(path), &error);
}

static int open_alone(const char *command_name, const common_options *common, const char *path, bool vocab_only,
                      lm_model **out) {
    lm_runtime *runtime;
    int status = open_runtime(command_name, common, &runtime);
    if (status != EXIT_GOOD) return status;
    status = open_model_file(command_name, runtime, path, vocab_only, out);
    lm_runtime_destroy(runtime);
    return status;
}

int open_model_on(const char *command_name, lm_runtime *runtime, const char *path, lm_model **out) {
    return open_model_file(command_name, runtime, path, false, out);
}

int open_model(const char *command_name, const common_options *common, const char *path, lm_model **out) {
    return open_alone(command_name, common, path, false, out);
}

int open_vocabulary(const char *command_name, const common_options *common, const char *path, lm_model **out) {
    return open_alone(command_name, common, path, true, out);
}

bool take_stdin(const char *command_name) {
    static bool taken;
    if (taken) failure(command_name, "standard input can be read only once");
    bool first = !taken;
    taken = true;
    return first;
}

char *read_input(const char *command_name, const char *path, size_t *size) {
    bool from_stdin = strcmp(path, "-") == 0;
    if (from_stdin && !take_stdin(command_name)) return NULL;
    FILE *file = from_stdin ? stdin : open_file(path, "rb");
    char *bytes = NULL;
    size_t n = 0, capacity = 0, got = 1;
    if (!file) {
        failure(command_name, "%s: %s", path, strerror(errno));
        return NULL;
    }
    while (got > 0) {
        if (n > INPUT_MAX) {
            failure(command_name, "%s is longer than %d bytes", from_stdin ? "standard input" : path, INPUT_MAX);
            goto fail;
        }
        if (capacity - n < 65536) {
            capacity = 2 * capacity + 65536;
            char *larger = realloc(bytes, capacity);
            if (!larger) {
                failure(command_name, "out of memory");
                goto fail;
            }
            bytes = larger;
        }
        got = fread(bytes + n, 1, capacity - n - 1, file);
        n += got;
    }
    if (ferror(file)) {
        failure(command_name, "%s: %s", from_stdin ? "standard input" : path, strerror(errno));
        goto fail;
    }
    if (!from_stdin) fclose(file);
    bytes[n] = '\0';
    *size = n;
    return bytes;
fail:
    free(bytes);
    if (!from_stdin) fclose(file);
    return NULL;
}

char *read_document(const char *command_name, const char *path, size_t *size) {
    char *text = read_input(command_name, path, size);
    if (text && *size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        *size -= 3;
        memmove(text, text + 3, *size + 1);
    }
    return text;
}

FILE *create_output(const char *command_name, const char *path, const char *model_path) {
    if (strcmp(path, "-") == 0) return stdout;
    if (model_path && is_same_file(path, model_path)) {
        failure(command_name, "%s: is the model", path);
        return NULL;
    }
    FILE *file = open_file(path, "wb");
    if (!file) failure(command_name, "%s: %s", path, strerror(errno));
    return file;
}

bool token_list_add(token_list *list, lm_token token) {
    if (list->count == list->capacity) {
        size_t capacity = 2 * list->capacity + 64;
        lm_token *larger = realloc(list->data, capacity * sizeof *larger);
        if (!larger) return false;
        list->data = larger;
        list->capacity = capacity;
    }
    list->data[list->count++] = token;
    return true;
}

void token_list_free(token_list *list) {
    free(list->data);
    *list = (token_list){0};
}

static bool is_separator(char c) { return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int read_numbers(const char *command_name, const char *option_name, const char *text, token_list *out) {
    size_t size = strlen(text);
    const char *source = text[0] == '@' ? text + 1 : NULL;
    char *file = NULL;
    int status = EXIT_GOOD;
    if (source) {
        text = file = read_document(command_name, source, &size);
        if (!file) return EXIT_FAILED;
    }
    for (const char *at = text; at < text + size && status == EXIT_GOOD;) {
        char *end;
        if (is_separator(*at)) {
            at++;
            continue;
        }
        errno = 0;
        long value = strtol(at, &end, 10);
        if (end == at || errno || value < INT32_MIN || value > INT32_MAX || (end < text + size && !is_separator(*end)))
            status = usage_error(command_name, "%s%s%s: \"%.20s\" is no list of numbers", option_name,
                                 source ? " @" : "", source ? source : "", at);
        else if (!token_list_add(out, (lm_token)value))
            status = failure(command_name, "out of memory");
        at = end;
    }
    if (status == EXIT_GOOD && out->count == 0)
        status = usage_error(command_name, "%s: the list is empty", option_name);
    free(file);
    return status;
}

int tokenize_text(const char *command_name, const lm_model *model, const char *text, size_t size, uint32_t flags,
                  token_list *out) {
    int32_t n =
        lm_tokenize(model, text, size, flags, out->data ? out->data + out->count : NULL, out->capacity - out->count);
    if (n > 0 && (size_t)n > out->capacity - out->count) {
        lm_token *larger = realloc(out->data, (out->count + (size_t)n) * sizeof *larger);
        if (!larger) return failure(command_name, "out of memory");
        out->data = larger;
        out->capacity = out->count + (size_t)n;
        n = lm_tokenize(model, text, size, flags, out->data + out->count, out->capacity - out->count);
    }
    if (n < 0) return failure(command_name, "the text cannot be made into tokens (%s)", lm_status_name(-n));
    out->count += (size_t)n;
    return EXIT_GOOD;
}

bool cache_type(const char *name, int32_t *type) {
    static const struct {
        const char *name;
        int32_t type;
    } types[] = {{"f32", LM_DTYPE_F32},
                 {"f16", LM_DTYPE_F16},
                 {"bf16", LM_DTYPE_BF16},
                 {"q8_0", LM_DTYPE_Q8_0},
                 {"q4_0", LM_DTYPE_Q4_0}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0) {
            *type = types[i].type;
            return true;
        }
    return false;
}

int32_t rows_at_once(const lm_model *model, int32_t n) {
    lm_model_info info = {.struct_size = sizeof info};
    lm_model_get_info(model, &info);
    int64_t fitting = (int64_t)256000000 / (4 * ((int64_t)info.n_vocab + 1)) + 1;
    return n < fitting ? n : (int32_t)fitting;
}

bool write_words(FILE *file, const void *words, size_t n) {
    const char *from = words;
    unsigned char bytes[4096];
    while (n > 0) {
        size_t count = n < sizeof bytes / 4 ? n : sizeof bytes / 4;
        for (size_t i = 0; i < count; i++) {
            uint32_t word;
            memcpy(&word, from + 4 * i, sizeof word);
            for (int b = 0; b < 4; b++) bytes[4 * i + (size_t)b] = (unsigned char)(word >> 8 * b);
        }
        if (fwrite(bytes, 4, count, file) != count) return false;
        from += 4 * count;
        n -= count;
    }
    return true;
}

bool read_words(FILE *file, void *words, size_t n) {
    char *to = words;
    unsigned char bytes[4096];
    while (n > 0) {
        size_t count = n < sizeof bytes / 4 ? n : sizeof bytes / 4;
        if (fread(bytes, 4, count, file) != count) return false;
        for (size_t i = 0; i < count; i++) {
            const unsigned char *b = bytes + 4 * i;
            uint32_t word = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
            memcpy(to + 4 * i, &word, sizeof word);
        }
        to += 4 * count;
        n -= count;
    }
    return true;
}

int check_tokens(const char *command_name, const token_list *tokens, int32_t n_vocab) {
    for (size_t i = 0; i < tokens->count; i++)
        if (tokens->data[i] < 0 || tokens->data[i] >= n_vocab)
            return failure(command_name, "--tokens: %d is not in the vocabulary of %d tokens", (int)tokens->data[i],
                           (int)n_vocab);
    return EXIT_GOOD;
}

void print_json_text(FILE *out, const char *text, size_t size) {
    size_t n = lm_json_quote(text, size, NULL, 0);
    char *quoted = malloc(n + 1);
    if (quoted) lm_json_quote(text, size, quoted, n + 1);
    fputs(quoted ? quoted : "null", out);
    free(quoted);
}
