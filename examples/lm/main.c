/* SPDX-License-Identifier: MIT
 * lm: language models from the command line. One subcommand per file. */
#include "program.h"

#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"gen", lm_gen, "continue a text"},
    {"info", lm_info, "what a model file holds"},
    {"fit", lm_fit, "does it fit this machine, and how fast could it be"},
    {"bench", lm_bench, "measure speed, as a share of what the machine can do"},
    {"eval", lm_eval, "perplexity of a text; distance from another model's predictions"},
    {"embed", lm_embed_command, "the vector of a text"},
    {"logits", lm_logits_command, "raw logits of a list of tokens"},
    {"tokenize", lm_tokenize_command, "text to token ids"},
    {"chat", lm_chat_command, "talk to a model"},
    {"render", lm_render_command, "messages to the prompt a template makes"},
    {"parse", lm_parse_command, "a model's output to content, reasoning and tool calls"},
    {"grammar", lm_grammar_command, "check a grammar, and a text against it"},
    {"detokenize", lm_detokenize_command, "token ids to text"},
};

static void print_usage(FILE *out) {
    fputs("usage: lm COMMAND ...\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].about);
    fputs("lm COMMAND --help tells more\n", out);
}

/* A full disk or a closed pipe shows here at the latest. */
static int finish_output(const char *name, int status) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    return status == EXIT_GOOD || status == EXIT_NEGATIVE ? failure(name, "the results could not be written") : status;
}

static int refuse(const char *what, const char *word) {
    fprintf(stderr, "lm: %s \"", what);
    print_visible(stderr, word, strlen(word));
    fputs("\" (lm --help lists commands)\n", stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv) {
    prepare_streams();
    argv = utf8_arguments(&argc, argv);
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    static char help_option[] = "--help";
    bool help = strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
    bool version = strcmp(argv[1], "--version") == 0;
    if (argc > (help ? 3 : 2) && (help || version)) return refuse("unexpected argument", argv[help ? 3 : 2]);
    if (help && argc == 2) {
        print_usage(stdout);
        return finish_output("help", EXIT_GOOD);
    }
    if (help) { /* lm help gen: lm gen --help */
        argv[1] = argv[2];
        argv[2] = help_option;
    }
    if (version) {
        printf("lm %d.%d.%d\n", (int)(lm_version() / 1000000), (int)(lm_version() / 1000 % 1000),
               (int)(lm_version() % 1000));
        return finish_output("--version", EXIT_GOOD);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0) return finish_output(argv[1], commands[i].run(argc - 2, argv + 2));
    return refuse("unknown command", argv[1]);
}
