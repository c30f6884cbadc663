/* SPDX-License-Identifier: MIT
 * lm tokenize and lm detokenize: text to ids and back. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

/* Its text, or its bytes where they are not whole characters. */
static void print_piece(const lm_model *model, lm_token token) {
    char text[4096], whole[4096];
    lm_text_stream stream = {{0}, 0};
    int32_t n = lm_token_piece(model, token, LM_DETOKENIZE_SPECIAL, text, sizeof text);
    int32_t n_whole = lm_text_stream_next(model, &stream, token, LM_DETOKENIZE_SPECIAL, whole, sizeof whole);
    printf("%d\t", (int)token);
    if (n > (int32_t)sizeof text)
        printf("%d bytes", (int)n);
    else if (n >= 0 && n == n_whole && memcmp(text, whole, (size_t)n) == 0)
        print_json_text(stdout, text, (size_t)n);
    else
        for (int32_t i = 0; i < n; i++) printf("<0x%02X>", (unsigned)(unsigned char)text[i]);
    putchar('\n');
}

int lm_tokenize_command(int argc, char **argv) {
    static const command about = {"tokenize", MODEL_ARGUMENT,
                                  "Print the token ids of a text on one line, comma separated." BUILTIN_HELP,
                                  MODEL_NEEDED, 1};
    const char *model_path, *path = NULL, *text = NULL;
    bool no_special = false, parse_special = false, pieces = false;
    common_options common;
    common_options_init(&common);
    option own[] = {
        {"-f", "--file", OPTION_TEXT, (void *)&path, "FILE", "the text (- or nothing: standard input)", NULL},
        {"-p", "--prompt", OPTION_TEXT, (void *)&text, "TEXT", "the text itself", NULL},
        {"--no-special", NULL, OPTION_FLAG, &no_special, NULL, "put no begin and end tokens around it", NULL},
        {"--parse-special", NULL, OPTION_FLAG, &parse_special, NULL,
         "control tokens written out in the text become tokens", NULL},
        {"--pieces", NULL, OPTION_FLAG, &pieces, NULL, "a line for each: its id and its text", NULL},
        {0}};
    int status = options_parse(&about, own, common.table, argc, argv, &model_path);
    if (status >= 0) return status;
    if (path && text) return usage_error("tokenize", "-f and -p exclude each other");

    lm_model *model = NULL;
    char *read = NULL;
    token_list tokens = {0};
    size_t size = text ? strlen(text) : 0;
    status = open_vocabulary("tokenize", &common, model_path, &model);
    if (status == EXIT_GOOD && !text) {
        text = read = read_input("tokenize", path ? path : "-", &size);
        if (!text) status = EXIT_FAILED;
    }
    if (status == EXIT_GOOD) {
        uint32_t flags = (no_special ? 0 : LM_TOKENIZE_ADD_SPECIAL) | (parse_special ? LM_TOKENIZE_PARSE_SPECIAL : 0);
        status = tokenize_text("tokenize", model, text, size, flags, &tokens);
    }
    if (status == EXIT_GOOD && pieces) {
        for (size_t i = 0; i < tokens.count; i++) print_piece(model, tokens.data[i]);
    } else if (status == EXIT_GOOD) {
        for (size_t i = 0; i < tokens.count; i++) printf("%s%d", i ? "," : "", (int)tokens.data[i]);
        putchar('\n');
    }
    token_list_free(&tokens);
    free(read);
    lm_model_close(model);
    return status;
}

int lm_detokenize_command(int argc, char **argv) {
    static const command about = {"detokenize", MODEL_ARGUMENT,
                                  "Print the text of token ids, and nothing else." BUILTIN_HELP, MODEL_NEEDED, 1};
    const char *model_path, *ids = NULL;
    bool no_special = false;
    common_options common;
    common_options_init(&common);
    option own[] = {{"--tokens", NULL, OPTION_TEXT, (void *)&ids, "1,2,3|@FILE", "the ids", NULL},
                    {"--no-special", NULL, OPTION_FLAG, &no_special, NULL,
                     "leave out control tokens and added begin and end tokens", NULL},
                    {0}};
    int status = options_parse(&about, own, common.table, argc, argv, &model_path);
    if (status >= 0) return status;
    if (!ids) return usage_error("detokenize", "--tokens is missing");

    lm_model *model = NULL;
    char *text = NULL;
    token_list tokens = {0};
    uint32_t flags = no_special ? LM_DETOKENIZE_REMOVE_ADDED : LM_DETOKENIZE_SPECIAL;
    status = read_numbers("detokenize", "--tokens", ids, &tokens);
    if (status == EXIT_GOOD) status = open_vocabulary("detokenize", &common, model_path, &model);
    if (status == EXIT_GOOD) status = check_tokens("detokenize", &tokens, lm_vocab_size(model));
    if (status == EXIT_GOOD) {
        int32_t n = lm_detokenize(model, tokens.data, tokens.count, flags, NULL, 0);
        if (n < 0)
            status = failure("detokenize", "the tokens have no text (%s)", lm_status_name(-n));
        else if (!(text = malloc((size_t)n + 1)))
            status = failure("detokenize", "out of memory");
        else {
            n = lm_detokenize(model, tokens.data, tokens.count, flags, text, (size_t)n);
            fwrite(text, 1, (size_t)n, stdout);
        }
    }
    free(text);
    token_list_free(&tokens);
    lm_model_close(model);
    return status;
}
