/* SPDX-License-Identifier: MIT
 * Statements of a template. Each parse function is called with the current token right after what made it choose that
 * function, and leaves the token after what it read. Recursion is bounded by LM_TEMPLATE_NESTING_MAX. Statements that
 * would reach outside of the template (include, import, extends) are refused. */
#include "template_parser.h"

#include <stdarg.h>
#include <string.h>

#include "../base/format.h"

bool lm_parser_fail(lm_parser *parser, lm_status status, uint32_t offset, const char *format, ...) {
    char sentence[400];
    va_list arguments;
    va_start(arguments, format);
    lm_format_list(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    int32_t line;
    uint64_t source_offset;
    lm_template_locate(parser->template, offset, &line, &source_offset);
    parser->status = lm_error_set_at(parser->error, status, line, source_offset, "template: %s", sentence);
    return false;
}

bool lm_parser_advance(lm_parser *parser) {
    if (lm_lexer_next(&parser->lexer, &parser->token)) return true;
    return lm_parser_fail(parser, parser->lexer.status, (uint32_t)parser->lexer.error_offset, "%s",
                          parser->lexer.message);
}

bool lm_parser_enter(lm_parser *parser) {
    if (parser->depth++ < LM_TEMPLATE_NESTING_MAX) return true;
    return lm_parser_fail(parser, LM_ERR_LIMIT, parser->token.offset, "nested more than %d levels deep",
                          LM_TEMPLATE_NESTING_MAX);
}

static bool out_of_memory(lm_parser *parser) {
    parser->status = lm_error_memory(parser->error);
    return false;
}

lm_node *lm_parser_node(lm_parser *parser, lm_node_kind kind, uint32_t offset) {
    lm_node *node = lm_arena_alloc_array(&parser->template->arena, 1, sizeof *node);
    if (!node) {
        out_of_memory(parser);
        return NULL;
    }
    node->kind = (uint8_t)kind;
    node->offset = offset;
    return node;
}

bool lm_parser_push(lm_parser *parser, lm_node_list *list, lm_node *node) {
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity * 2 : 4;
        lm_node **items = lm_arena_alloc_array(&parser->template->arena, capacity, sizeof *items);
        if (!items) return out_of_memory(parser);
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = node;
    return true;
}

bool lm_parser_is_punctuation(const lm_parser *parser, uint16_t op) {
    return parser->token.kind == LM_LEXEME_PUNCTUATION && parser->token.op == op;
}

bool lm_parser_is_name(const lm_parser *parser, const char *name) {
    return parser->token.kind == LM_LEXEME_NAME && parser->token.text.n == strlen(name) &&
           memcmp(parser->token.text.bytes, name, parser->token.text.n) == 0;
}

static bool unexpected(lm_parser *parser, const char *wanted) {
    const lm_lexeme *token = &parser->token;
    if (token->kind == LM_LEXEME_END)
        return lm_parser_fail(parser, LM_ERR_FORMAT, token->offset, "the template ends where %s is expected", wanted);
    if (token->kind == LM_LEXEME_PRINT_END || token->kind == LM_LEXEME_BLOCK_END)
        return lm_parser_fail(parser, LM_ERR_FORMAT, token->offset, "the tag ends where %s is expected", wanted);
    if (token->kind == LM_LEXEME_PUNCTUATION)
        return lm_parser_fail(parser, LM_ERR_FORMAT, token->offset, "unexpected '%c', expected %s", token->op & 255,
                              wanted);
    return lm_parser_fail(parser, LM_ERR_FORMAT, token->offset, "unexpected %q, expected %s", token->text.n,
                          token->text.bytes, wanted);
}

bool lm_parser_expect(lm_parser *parser, uint16_t op) {
    char wanted[4] = {'\'', (char)op, '\'', 0};
    return lm_parser_is_punctuation(parser, op) ? lm_parser_advance(parser) : unexpected(parser, wanted);
}

static bool expect_kind(lm_parser *parser, lm_lexeme_kind kind, const char *wanted) {
    return parser->token.kind == kind ? lm_parser_advance(parser) : unexpected(parser, wanted);
}

bool lm_parser_skip_name(lm_parser *parser, const char *name, bool *found) {
    *found = lm_parser_is_name(parser, name);
    return !*found || lm_parser_advance(parser);
}

static bool expect_block_end(lm_parser *parser) {
    return expect_kind(parser, LM_LEXEME_BLOCK_END, "the end of the tag");
}

static lm_node *parse_if(lm_parser *parser, uint32_t offset) {
    static const char *const ends[] = {"elif", "else", "endif"};
    lm_node *first = NULL;
    for (lm_node **slot = &first;;) {
        lm_node *node = lm_parser_node(parser, LM_NODE_IF, offset);
        size_t end;
        if (!node || !(node->a = lm_parse_tuple(parser, false, false)) || !expect_block_end(parser)) return NULL;
        if (!(node->b = lm_parse_body_until(parser, ends, 3, &end))) return NULL;
        *slot = node;
        slot = &node->c;
        offset = parser->token.offset;
        if (end == 0) continue;
        if (end == 1) {
            if (!expect_block_end(parser) || !(node->c = lm_parse_body_until(parser, ends + 2, 1, &end))) return NULL;
        }
        return first;
    }
}

static lm_node *parse_for(lm_parser *parser, uint32_t offset) {
    static const char *const ends[] = {"endfor", "else"};
    lm_node *node = lm_parser_node(parser, LM_NODE_FOR, offset);
    lm_node_list items = {0};
    lm_node *target, *iterable, *filter = NULL;
    bool found;
    size_t end;
    if (!node || !(target = lm_parse_target(parser, true, false))) return NULL;
    if (!lm_parser_skip_name(parser, "in", &found)) return NULL;
    if (!found) {
        unexpected(parser, "'in'");
        return NULL;
    }
    if (!(iterable = lm_parse_tuple(parser, false, false))) return NULL;
    if (!lm_parser_skip_name(parser, "if", &found)) return NULL;
    if (found && !(filter = lm_parse_expression(parser))) return NULL;
    if (!lm_parser_skip_name(parser, "recursive", &node->flag) || !expect_block_end(parser)) return NULL;
    if (!lm_parser_push(parser, &items, target) || !lm_parser_push(parser, &items, iterable) ||
        !lm_parser_push(parser, &items, filter))
        return NULL;
    node->items = items.items;
    node->n_items = 3;
    parser->loop_depth++;
    node->b = lm_parse_body_until(parser, ends, 2, &end);
    parser->loop_depth--;
    if (!node->b) return NULL;
    if (end == 1 && (!expect_block_end(parser) || !(node->c = lm_parse_body_until(parser, ends, 1, &end)))) return NULL;
    return node;
}

static lm_node *parse_set(lm_parser *parser, uint32_t offset) {
    static const char *const ends[] = {"endset"};
    lm_node *target = lm_parse_target(parser, true, true);
    if (!target) return NULL;
    if (lm_parser_is_punctuation(parser, '=')) {
        lm_node *node = lm_parser_node(parser, LM_NODE_SET, offset);
        if (!node || !lm_parser_advance(parser) || !(node->a = lm_parse_tuple(parser, true, false))) return NULL;
        node->b = target;
        return node;
    }
    lm_node *node = lm_parser_node(parser, LM_NODE_CAPTURE, offset);
    size_t end;
    if (!node) return NULL;
    node->b = target;
    if (lm_parser_is_punctuation(parser, '|') && !(node->a = lm_parse_filters(parser, NULL, false))) return NULL;
    if (!expect_block_end(parser) || !(node->c = lm_parse_body_until(parser, ends, 1, &end))) return NULL;
    return node;
}

/* (a, b=1) of a macro or a call block */
static bool parse_parameters(lm_parser *parser, lm_node *macro) {
    lm_node_list items = {0};
    if (!lm_parser_expect(parser, '(')) return false;
    while (!lm_parser_is_punctuation(parser, ')')) {
        if (items.count && !lm_parser_expect(parser, ',')) return false;
        if (items.count && lm_parser_is_punctuation(parser, ')')) break;
        lm_node *parameter = lm_parser_node(parser, LM_NODE_PARAMETER, parser->token.offset);
        if (!parameter) return false;
        parameter->text = parser->token.text;
        if (parser->token.kind != LM_LEXEME_NAME) return unexpected(parser, "the name of a parameter");
        if (!lm_parser_symbol(parser, parameter->text, &parameter->symbol) || !lm_parser_advance(parser)) return false;
        if (lm_parser_is_punctuation(parser, '=')) {
            if (!lm_parser_advance(parser) || !(parameter->a = lm_parse_expression(parser))) return false;
        } else if (items.count && items.items[items.count - 1]->a) {
            return lm_parser_fail(parser, LM_ERR_FORMAT, parameter->offset,
                                  "parameter without a default after one with a default");
        }
        if (!lm_parser_push(parser, &items, parameter)) return false;
    }
    macro->items = items.items;
    macro->n_items = items.count;
    return lm_parser_expect(parser, ')');
}

static bool parse_macro_body(lm_parser *parser, lm_node *macro, const char *end_name) {
    size_t end;
    uint32_t loops = parser->loop_depth;
    uint8_t uses = parser->macro_uses;
    parser->loop_depth = 0;
    parser->macro_uses = 0;
    if (!expect_block_end(parser)) return false;
    macro->b = lm_parse_body_until(parser, &end_name, 1, &end);
    macro->op = parser->macro_uses;
    parser->loop_depth = loops;
    parser->macro_uses = uses;
    return macro->b != NULL;
}

static lm_node *parse_macro(lm_parser *parser, uint32_t offset) {
    lm_node *node = lm_parser_node(parser, LM_NODE_MACRO, offset);
    if (!node) return NULL;
    node->text = parser->token.text;
    if (!expect_kind(parser, LM_LEXEME_NAME, "the name of the macro")) return NULL;
    if (!lm_parser_symbol(parser, node->text, &node->symbol) || !parse_parameters(parser, node)) return NULL;
    return parse_macro_body(parser, node, "endmacro") ? node : NULL;
}

static lm_node *parse_call_block(lm_parser *parser, uint32_t offset) {
    lm_node *node = lm_parser_node(parser, LM_NODE_CALL_BLOCK, offset);
    if (!node || !(node->c = lm_parser_node(parser, LM_NODE_MACRO, offset))) return NULL;
    node->c->text = (lm_slice){"caller", 6};
    if (lm_parser_is_punctuation(parser, '(') && !parse_parameters(parser, node->c)) return NULL;
    if (!(node->a = lm_parse_expression(parser))) return NULL;
    if (node->a->kind != LM_NODE_CALL) {
        lm_parser_fail(parser, LM_ERR_FORMAT, node->a->offset, "expected a call");
        return NULL;
    }
    return parse_macro_body(parser, node->c, "endcall") ? node : NULL;
}

static lm_node *parse_with(lm_parser *parser, uint32_t offset) {
    static const char *const ends[] = {"endwith"};
    lm_node *node = lm_parser_node(parser, LM_NODE_WITH, offset);
    lm_node_list items = {0};
    size_t end;
    if (!node) return NULL;
    while (parser->token.kind != LM_LEXEME_BLOCK_END) {
        if (items.count && !lm_parser_expect(parser, ',')) return NULL;
        lm_node *target = lm_parse_target(parser, false, false), *value;
        if (!target || !lm_parser_expect(parser, '=') || !(value = lm_parse_expression(parser))) return NULL;
        if (!lm_parser_push(parser, &items, target) || !lm_parser_push(parser, &items, value)) return NULL;
    }
    node->items = items.items;
    node->n_items = items.count;
    if (!expect_block_end(parser) || !(node->b = lm_parse_body_until(parser, ends, 1, &end))) return NULL;
    return node;
}

static lm_node *parse_filter_block(lm_parser *parser, uint32_t offset) {
    static const char *const ends[] = {"endfilter"};
    lm_node *node = lm_parser_node(parser, LM_NODE_FILTER_BLOCK, offset);
    size_t end;
    if (!node || !(node->a = lm_parse_filters(parser, NULL, true)) || !expect_block_end(parser)) return NULL;
    if (!(node->b = lm_parse_body_until(parser, ends, 1, &end))) return NULL;
    return node;
}

/* generation and block only give their body a scope of its own. */
static lm_node *parse_scope(lm_parser *parser, uint32_t offset, const char *end_name, bool named) {
    lm_node *node = lm_parser_node(parser, LM_NODE_WITH, offset);
    size_t end;
    if (!node || (named && !expect_kind(parser, LM_LEXEME_NAME, "the name of the block"))) return NULL;
    if (!expect_block_end(parser) || !(node->b = lm_parse_body_until(parser, &end_name, 1, &end))) return NULL;
    if (named && parser->token.kind == LM_LEXEME_NAME && !lm_parser_advance(parser)) return NULL;
    return node;
}

static lm_node *parse_loop_control(lm_parser *parser, lm_node_kind kind, uint32_t offset) {
    if (parser->loop_depth) return lm_parser_node(parser, kind, offset);
    lm_parser_fail(parser, LM_ERR_FORMAT, offset, "%s outside of a loop", kind == LM_NODE_BREAK ? "break" : "continue");
    return NULL;
}

/* A statement, its name being the current token. */
static lm_node *parse_statement(lm_parser *parser) {
    static const char *const unsupported[] = {"include", "import",     "from",  "extends",
                                              "do",      "autoescape", "trans", "debug"};
    lm_lexeme name = parser->token;
    uint32_t offset = name.offset;
    if (name.kind != LM_LEXEME_NAME) {
        unexpected(parser, "the name of a statement");
        return NULL;
    }
#define IS(word) (name.text.n == sizeof word - 1 && memcmp(name.text.bytes, word, sizeof word - 1) == 0)
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++) {
        if (!lm_parser_is_name(parser, unsupported[i])) continue;
        lm_parser_fail(parser, LM_ERR_UNSUPPORTED, offset, "the statement %q is not supported", name.text.n,
                       name.text.bytes);
        return NULL;
    }
    if (!lm_parser_advance(parser)) return NULL;
    if (IS("if")) return parse_if(parser, offset);
    if (IS("for")) return parse_for(parser, offset);
    if (IS("set")) return parse_set(parser, offset);
    if (IS("macro")) return parse_macro(parser, offset);
    if (IS("call")) return parse_call_block(parser, offset);
    if (IS("with")) return parse_with(parser, offset);
    if (IS("filter")) return parse_filter_block(parser, offset);
    if (IS("generation")) return parse_scope(parser, offset, "endgeneration", false);
    if (IS("block")) return parse_scope(parser, offset, "endblock", true);
    if (IS("break")) return parse_loop_control(parser, LM_NODE_BREAK, offset);
    if (IS("continue")) return parse_loop_control(parser, LM_NODE_CONTINUE, offset);
    if (IS("print")) {
        lm_node *node = lm_parser_node(parser, LM_NODE_OUTPUT, offset);
        return node && (node->a = lm_parse_tuple(parser, true, false)) ? node : NULL;
    }
#undef IS
    lm_parser_fail(parser, LM_ERR_FORMAT, offset, "unknown statement %q", name.text.n, name.text.bytes);
    return NULL;
}

/* Text, outputs and statements up to one of the names in ends; the token after that name is current then. With no ends:
 * up to the end of the template. */
lm_node *lm_parse_body_until(lm_parser *parser, const char *const *ends, size_t n_ends, size_t *end) {
    lm_node *body = lm_parser_node(parser, LM_NODE_BODY, parser->token.offset);
    lm_node_list items = {0};
    uint32_t begin = parser->token.offset;
    if (!body || !lm_parser_enter(parser)) return NULL;
    for (;;) {
        lm_node *node = NULL;
        uint32_t offset = parser->token.offset;
        switch (parser->token.kind) {
        case LM_LEXEME_TEXT:
            if (!(node = lm_parser_node(parser, LM_NODE_TEXT, offset))) return NULL;
            node->text = parser->token.text;
            if (!lm_parser_advance(parser)) return NULL;
            break;
        case LM_LEXEME_PRINT_BEGIN:
            if (!(node = lm_parser_node(parser, LM_NODE_OUTPUT, offset)) || !lm_parser_advance(parser)) return NULL;
            if (!(node->a = lm_parse_tuple(parser, true, false))) return NULL;
            if (!expect_kind(parser, LM_LEXEME_PRINT_END, "the end of the tag")) return NULL;
            break;
        case LM_LEXEME_BLOCK_BEGIN:
            if (!lm_parser_advance(parser)) return NULL;
            for (size_t i = 0; i < n_ends; i++) {
                if (!lm_parser_is_name(parser, ends[i])) continue;
                *end = i;
                body->items = items.items;
                body->n_items = items.count;
                parser->depth--;
                return lm_parser_advance(parser) ? body : NULL;
            }
            if (!(node = parse_statement(parser)) || !expect_block_end(parser)) return NULL;
            break;
        default:
            if (n_ends) {
                lm_parser_fail(parser, LM_ERR_FORMAT, begin, "the template ends inside of a block; %s is missing",
                               ends[n_ends - 1]);
                return NULL;
            }
            body->items = items.items;
            body->n_items = items.count;
            parser->depth--;
            return body;
        }
        if (!lm_parser_push(parser, &items, node)) return NULL;
    }
}
