/* SPDX-License-Identifier: MIT
 * Expressions of a template, by recursive descent over Jinja's ladder of precedence:
 * conditional < or < and < not < comparison < + - < ~ < * / // % < ** < sign < filters and tests < . [] (). */
#include "template_parser.h"

#include <string.h>

#include "template_number.h"

static lm_node *parse_unary(lm_parser *parser, bool with_filters);

static bool is_name_in(const lm_parser *parser, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (lm_parser_is_name(parser, names[i])) return true;
    return false;
}

static lm_node *unexpected(lm_parser *parser) {
    const lm_lexeme *token = &parser->token;
    if (token->kind == LM_LEXEME_PUNCTUATION)
        lm_parser_fail(parser, LM_ERR_FORMAT, token->offset, "unexpected '%c', expected an expression",
                       token->op & 255);
    else
        lm_parser_fail(parser, LM_ERR_FORMAT, token->offset, "expected an expression");
    return NULL;
}

static lm_node *parse_integer(lm_parser *parser) {
    lm_node *node = lm_parser_node(parser, LM_NODE_INTEGER, parser->token.offset);
    if (!node) return NULL;
    if (!lm_template_read_integer(parser->token.text, 0, &node->integer)) {
        lm_parser_fail(parser, LM_ERR_FORMAT, node->offset, "the integer is malformed or does not fit 64 bits");
        return NULL;
    }
    return lm_parser_advance(parser) ? node : NULL;
}

static lm_node *parse_string(lm_parser *parser) {
    lm_node *node = lm_parser_node(parser, LM_NODE_STRING, parser->token.offset);
    while (node && parser->token.kind == LM_LEXEME_STRING) {
        char *text = lm_arena_alloc(&parser->template->arena, node->text.n + parser->token.text.n + 1);
        if (!text) {
            lm_parser_fail(parser, LM_ERR_MEMORY, node->offset, "out of memory");
            return NULL;
        }
        if (node->text.n) memcpy(text, node->text.bytes, node->text.n);
        size_t n = lm_lexer_unescape(parser->token.text, text + node->text.n);
        node->text = (lm_slice){text, node->text.n + n};
        if (!lm_parser_advance(parser)) return NULL;
    }
    return node;
}

/* Items of a list or dict up to the closing bracket; the opening one is current. */
static lm_node *parse_items(lm_parser *parser, lm_node_kind kind, char close) {
    lm_node *node = lm_parser_node(parser, kind, parser->token.offset), *item;
    lm_node_list items = {0};
    if (!node || !lm_parser_advance(parser)) return NULL;
    while (!lm_parser_is_punctuation(parser, (uint8_t)close)) {
        if (items.count && !lm_parser_expect(parser, ',')) return NULL;
        if (items.count && lm_parser_is_punctuation(parser, (uint8_t)close)) break;
        if (!(item = lm_parse_expression(parser)) || !lm_parser_push(parser, &items, item)) return NULL;
        if (kind == LM_NODE_DICT) {
            if (!lm_parser_expect(parser, ':')) return NULL;
            if (!(item = lm_parse_expression(parser)) || !lm_parser_push(parser, &items, item)) return NULL;
        }
    }
    node->items = items.items;
    node->n_items = items.count;
    return lm_parser_advance(parser) ? node : NULL;
}

static lm_node *parse_primary(lm_parser *parser) {
    static const struct {
        const char *name;
        lm_node_kind kind;
    } constants[] = {{"true", LM_NODE_TRUE},   {"True", LM_NODE_TRUE}, {"false", LM_NODE_FALSE},
                     {"False", LM_NODE_FALSE}, {"none", LM_NODE_NONE}, {"None", LM_NODE_NONE}};
    lm_lexeme token = parser->token;
    lm_node *node;
    switch (token.kind) {
    case LM_LEXEME_NAME:
        for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
            if (!lm_parser_is_name(parser, constants[i].name)) continue;
            node = lm_parser_node(parser, constants[i].kind, token.offset);
            return node && lm_parser_advance(parser) ? node : NULL;
        }
        node = lm_parser_node(parser, LM_NODE_NAME, token.offset);
        if (!node || !lm_parser_symbol(parser, token.text, &node->symbol)) return NULL;
        node->text = token.text;
        if (lm_parser_is_name(parser, "varargs")) parser->macro_uses |= LM_MACRO_USES_VARARGS;
        if (lm_parser_is_name(parser, "kwargs")) parser->macro_uses |= LM_MACRO_USES_KWARGS;
        if (lm_parser_is_name(parser, "caller")) parser->macro_uses |= LM_MACRO_USES_CALLER;
        return lm_parser_advance(parser) ? node : NULL;
    case LM_LEXEME_STRING: return parse_string(parser);
    case LM_LEXEME_INTEGER: return parse_integer(parser);
    case LM_LEXEME_FLOAT:
        node = lm_parser_node(parser, LM_NODE_FLOAT, token.offset);
        if (!node) return NULL;
        lm_template_read_float(token.text, &node->number);
        return lm_parser_advance(parser) ? node : NULL;
    case LM_LEXEME_PUNCTUATION:
        if (token.op == '(') {
            if (!lm_parser_advance(parser) || !(node = lm_parse_tuple(parser, true, true))) return NULL;
            return lm_parser_expect(parser, ')') ? node : NULL;
        }
        if (token.op == '[') return parse_items(parser, LM_NODE_LIST, ']');
        if (token.op == '{') return parse_items(parser, LM_NODE_DICT, '}');
        return unexpected(parser);
    default: return unexpected(parser);
    }
}

/* Arguments in parentheses; the opening one is current. */
static bool parse_arguments(lm_parser *parser, lm_node *call) {
    lm_node_list items = {0};
    bool keywords = false;
    if (!lm_parser_expect(parser, '(')) return false;
    while (!lm_parser_is_punctuation(parser, ')')) {
        if (items.count && !lm_parser_expect(parser, ',')) return false;
        if (items.count && lm_parser_is_punctuation(parser, ')')) break;
        lm_node *item = NULL;
        uint32_t offset = parser->token.offset;
        lm_slice name = parser->token.text;
        bool is_name = parser->token.kind == LM_LEXEME_NAME;
        lm_node_kind kind = lm_parser_is_punctuation(parser, '*')                          ? LM_NODE_SPLAT
                            : lm_parser_is_punctuation(parser, LM_PUNCTUATION_2('*', '*')) ? LM_NODE_DOUBLE_SPLAT
                                                                                           : LM_NODE_KEYWORD;
        if (kind != LM_NODE_KEYWORD) {
            if (!(item = lm_parser_node(parser, kind, offset)) || !lm_parser_advance(parser)) return false;
            if (!(item->a = lm_parse_expression(parser))) return false;
        } else {
            lm_node *value = lm_parse_expression(parser);
            if (!value) return false;
            if (is_name && value->kind == LM_NODE_NAME && value->offset == offset &&
                lm_parser_is_punctuation(parser, '=')) {
                if (!(item = lm_parser_node(parser, LM_NODE_KEYWORD, offset)) || !lm_parser_advance(parser))
                    return false;
                item->text = name;
                if (!(item->a = lm_parse_expression(parser))) return false;
                keywords = true;
            } else if (keywords) {
                return lm_parser_fail(parser, LM_ERR_FORMAT, offset, "positional argument after a keyword argument");
            } else {
                item = value;
            }
        }
        if (!lm_parser_push(parser, &items, item)) return false;
    }
    call->items = items.items;
    call->n_items = items.count;
    return lm_parser_expect(parser, ')');
}

/* [index] or [start:stop:step], or [] for an empty tuple; the bracket is current. */
static lm_node *parse_subscript(lm_parser *parser, lm_node *object) {
    lm_node *node = lm_parser_node(parser, LM_NODE_INDEX, parser->token.offset);
    lm_node *parts[3] = {NULL, NULL, NULL};
    uint32_t part = 0;
    if (!node || !lm_parser_advance(parser)) return NULL;
    node->a = object;
    if (!lm_parser_is_punctuation(parser, ':')) {
        parts[0] = lm_parser_is_punctuation(parser, ']') ? lm_parser_node(parser, LM_NODE_TUPLE, parser->token.offset)
                                                         : lm_parse_tuple(parser, true, false);
        if (!parts[0]) return NULL;
    }
    while (lm_parser_is_punctuation(parser, ':') && part < 2) {
        part++;
        if (!lm_parser_advance(parser)) return NULL;
        if (lm_parser_is_punctuation(parser, ':') || lm_parser_is_punctuation(parser, ']')) continue;
        if (!(parts[part] = lm_parse_expression(parser))) return NULL;
    }
    if (part == 0) {
        node->b = parts[0];
    } else {
        lm_node_list items = {0};
        node->kind = LM_NODE_SLICE;
        for (int i = 0; i < 3; i++)
            if (!lm_parser_push(parser, &items, parts[i])) return NULL;
        node->items = items.items;
        node->n_items = 3;
    }
    return lm_parser_expect(parser, ']') ? node : NULL;
}

static lm_node *parse_attribute(lm_parser *parser, lm_node *object) {
    lm_node *node = lm_parser_node(parser, LM_NODE_ATTRIBUTE, parser->token.offset);
    if (!node || !lm_parser_advance(parser)) return NULL;
    node->a = object;
    node->text = parser->token.text;
    if (parser->token.kind == LM_LEXEME_INTEGER) {
        node->kind = LM_NODE_INDEX;
        return (node->b = parse_integer(parser)) ? node : NULL;
    }
    if (parser->token.kind != LM_LEXEME_NAME) {
        lm_parser_fail(parser, LM_ERR_FORMAT, parser->token.offset, "expected a name or a number after the dot");
        return NULL;
    }
    return lm_parser_advance(parser) ? node : NULL;
}

static lm_node *parse_call(lm_parser *parser, lm_node *callee) {
    lm_node *node = lm_parser_node(parser, LM_NODE_CALL, parser->token.offset);
    if (!node) return NULL;
    node->a = callee;
    return parse_arguments(parser, node) ? node : NULL;
}

/* A chain is a loop here but a line of nested nodes for the evaluator, so its links count as depth. */
static lm_node *parse_postfix(lm_parser *parser, lm_node *node) {
    uint32_t depth = parser->depth;
    while (node && parser->token.kind == LM_LEXEME_PUNCTUATION) {
        uint16_t op = parser->token.op;
        if (op != '.' && op != '[' && op != '(') break;
        if (!lm_parser_enter(parser)) return NULL;
        node = op == '.'   ? parse_attribute(parser, node)
               : op == '[' ? parse_subscript(parser, node)
                           : parse_call(parser, node);
    }
    parser->depth = depth;
    return node;
}

/* name or name.name after | or is */
static bool parse_dotted_name(lm_parser *parser, lm_slice *out) {
    for (bool first = true;; first = false) {
        if (parser->token.kind != LM_LEXEME_NAME)
            return lm_parser_fail(parser, LM_ERR_FORMAT, parser->token.offset, "expected the name of a filter or test");
        if (first)
            *out = parser->token.text;
        else
            out->n = (size_t)(parser->token.text.bytes + parser->token.text.n - out->bytes);
        if (!lm_parser_advance(parser)) return false;
        if (!lm_parser_is_punctuation(parser, '.')) return true;
        if (!lm_parser_advance(parser)) return false;
    }
}

static lm_node *parse_test(lm_parser *parser, lm_node *object) {
    static const char *const not_arguments[] = {"else", "or", "and", "if"};
    lm_node *node = lm_parser_node(parser, LM_NODE_TEST, parser->token.offset), *argument;
    lm_node_list items = {0};
    bool negated;
    if (!node || !lm_parser_advance(parser) || !lm_parser_skip_name(parser, "not", &negated)) return NULL;
    node->a = object;
    if (!parse_dotted_name(parser, &node->text)) return NULL;
    lm_lexeme_kind kind = parser->token.kind;
    if (lm_parser_is_punctuation(parser, '(')) {
        if (!parse_arguments(parser, node)) return NULL;
    } else if ((kind == LM_LEXEME_NAME && !is_name_in(parser, not_arguments, 4)) || kind == LM_LEXEME_STRING ||
               kind == LM_LEXEME_INTEGER || kind == LM_LEXEME_FLOAT || lm_parser_is_punctuation(parser, '[') ||
               lm_parser_is_punctuation(parser, '{')) {
        if (lm_parser_is_name(parser, "is")) {
            lm_parser_fail(parser, LM_ERR_FORMAT, parser->token.offset, "tests cannot be chained with is");
            return NULL;
        }
        if (lm_parser_is_name(parser, "in") || lm_parser_is_name(parser, "not")) {
            /* "x is defined in y" is no test argument */
        } else {
            if (!(argument = parse_primary(parser)) || !(argument = parse_postfix(parser, argument))) return NULL;
            if (!lm_parser_push(parser, &items, argument)) return NULL;
            node->items = items.items;
            node->n_items = items.count;
        }
    }
    if (!negated) return node;
    lm_node *inverse = lm_parser_node(parser, LM_NODE_NOT, node->offset);
    if (inverse) inverse->a = node;
    return inverse;
}

static lm_node *parse_filter(lm_parser *parser, lm_node *object) {
    lm_node *node = lm_parser_node(parser, LM_NODE_FILTER, parser->token.offset);
    if (!node || !parse_dotted_name(parser, &node->text)) return NULL;
    node->a = object;
    if (lm_parser_is_punctuation(parser, '(') && !parse_arguments(parser, node)) return NULL;
    return node;
}

lm_node *lm_parse_filters(lm_parser *parser, lm_node *node, bool at_name) {
    uint32_t depth = parser->depth;
    for (bool first = true;; first = false) {
        if (!(first && at_name)) {
            if (!lm_parser_is_punctuation(parser, '|')) break;
            if (!lm_parser_advance(parser)) return NULL;
        }
        if (!lm_parser_enter(parser) || !(node = parse_filter(parser, node))) return NULL;
    }
    parser->depth = depth;
    return node;
}

static lm_node *parse_filters_and_tests(lm_parser *parser, lm_node *node) {
    uint32_t depth = parser->depth;
    while (node) {
        bool pipe = lm_parser_is_punctuation(parser, '|'), is = lm_parser_is_name(parser, "is");
        if (!pipe && !is && !lm_parser_is_punctuation(parser, '(')) break;
        if (!lm_parser_enter(parser)) return NULL;
        if (pipe)
            node = lm_parser_advance(parser) ? parse_filter(parser, node) : NULL;
        else
            node = is ? parse_test(parser, node) : parse_call(parser, node);
    }
    parser->depth = depth;
    return node;
}

static lm_node *parse_unary(lm_parser *parser, bool with_filters) {
    lm_node *node;
    uint32_t offset = parser->token.offset;
    if (!lm_parser_enter(parser)) return NULL;
    bool minus = lm_parser_is_punctuation(parser, '-');
    if (minus || lm_parser_is_punctuation(parser, '+')) {
        node = lm_parser_node(parser, minus ? LM_NODE_NEGATE : LM_NODE_PLUS, offset);
        if (!node || !lm_parser_advance(parser) || !(node->a = parse_unary(parser, false))) return NULL;
    } else {
        node = parse_primary(parser);
    }
    node = node ? parse_postfix(parser, node) : NULL;
    if (node && with_filters) node = parse_filters_and_tests(parser, node);
    parser->depth--;
    return node;
}

/* The binary operators, weakest first. ~ sits between sums and products. */
enum { LEVEL_SUM, LEVEL_CONCAT, LEVEL_PRODUCT, LEVEL_POWER, LEVEL_UNARY };

static bool binary_operator(const lm_parser *parser, int level, lm_operator *op) {
    static const struct {
        int level;
        uint16_t token;
        lm_operator op;
    } table[] = {{LEVEL_SUM, '+', LM_OPERATOR_ADD},
                 {LEVEL_SUM, '-', LM_OPERATOR_SUBTRACT},
                 {LEVEL_PRODUCT, '*', LM_OPERATOR_MULTIPLY},
                 {LEVEL_PRODUCT, '/', LM_OPERATOR_DIVIDE},
                 {LEVEL_PRODUCT, LM_PUNCTUATION_2('/', '/'), LM_OPERATOR_FLOOR_DIVIDE},
                 {LEVEL_PRODUCT, '%', LM_OPERATOR_MODULO},
                 {LEVEL_POWER, LM_PUNCTUATION_2('*', '*'), LM_OPERATOR_POWER}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].level != level || !lm_parser_is_punctuation(parser, table[i].token)) continue;
        *op = table[i].op;
        return true;
    }
    return false;
}

/* Chains of operators are flat lists, so that a long sum does not nest. */
static bool push_operand(lm_parser *parser, lm_node_list *items, lm_operator op, uint32_t offset, lm_node *value) {
    lm_node *operand = lm_parser_node(parser, LM_NODE_COMPARE, offset);
    if (!operand) return false;
    operand->op = (uint8_t)op;
    operand->a = value;
    return lm_parser_push(parser, items, operand);
}

static lm_node *finish_chain(lm_node *chain, lm_node *first, const lm_node_list *items) {
    chain->a = first;
    chain->items = items->items;
    chain->n_items = items->count;
    return chain;
}

static lm_node *parse_level(lm_parser *parser, int level) {
    if (level == LEVEL_UNARY) return parse_unary(parser, true);
    lm_node *left = parse_level(parser, level + 1);
    lm_operator op;
    if (level == LEVEL_CONCAT) {
        if (!left || !lm_parser_is_punctuation(parser, '~')) return left;
        lm_node *node = lm_parser_node(parser, LM_NODE_CONCAT, parser->token.offset);
        lm_node_list items = {0};
        if (!node || !lm_parser_push(parser, &items, left)) return NULL;
        while (lm_parser_is_punctuation(parser, '~')) {
            lm_node *item;
            if (!lm_parser_advance(parser) || !(item = parse_level(parser, level + 1))) return NULL;
            if (!lm_parser_push(parser, &items, item)) return NULL;
        }
        node->items = items.items;
        node->n_items = items.count;
        return node;
    }
    lm_node *chain = NULL;
    lm_node_list items = {0};
    while (left && binary_operator(parser, level, &op)) {
        uint32_t offset = parser->token.offset;
        if (!chain && !(chain = lm_parser_node(parser, LM_NODE_BINARY, offset))) return NULL;
        if (!lm_parser_advance(parser)) return NULL;
        lm_node *right = parse_level(parser, level + 1);
        if (!right || !push_operand(parser, &items, op, offset, right)) return NULL;
    }
    return chain ? finish_chain(chain, left, &items) : left;
}

/* Reads a comparison operator if there is one. */
static bool comparison_operator(lm_parser *parser, lm_operator *op, bool *found) {
    static const struct {
        uint16_t token;
        lm_operator op;
    } table[] = {{LM_PUNCTUATION_2('=', '='), LM_OPERATOR_EQUAL},
                 {LM_PUNCTUATION_2('!', '='), LM_OPERATOR_UNEQUAL},
                 {'<', LM_OPERATOR_LESS},
                 {LM_PUNCTUATION_2('<', '='), LM_OPERATOR_LESS_EQUAL},
                 {'>', LM_OPERATOR_GREATER},
                 {LM_PUNCTUATION_2('>', '='), LM_OPERATOR_GREATER_EQUAL}};
    *found = true;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!lm_parser_is_punctuation(parser, table[i].token)) continue;
        *op = table[i].op;
        return lm_parser_advance(parser);
    }
    *op = LM_OPERATOR_IN;
    if (lm_parser_is_name(parser, "in")) return lm_parser_advance(parser);
    if (!lm_parser_skip_name(parser, "not", found)) return false;
    if (!*found) return true;
    *op = LM_OPERATOR_NOT_IN;
    if (!lm_parser_is_name(parser, "in"))
        return lm_parser_fail(parser, LM_ERR_FORMAT, parser->token.offset, "expected 'in' after 'not'");
    return lm_parser_advance(parser);
}

static lm_node *parse_comparison(lm_parser *parser) {
    lm_node *left = parse_level(parser, LEVEL_SUM), *compare = NULL;
    lm_node_list items = {0};
    while (left) {
        lm_operator op;
        bool found;
        uint32_t offset = parser->token.offset;
        if (!comparison_operator(parser, &op, &found)) return NULL;
        if (!found) break;
        if (!compare && !(compare = lm_parser_node(parser, LM_NODE_COMPARE, offset))) return NULL;
        lm_node *right = parse_level(parser, LEVEL_SUM);
        if (!right || !push_operand(parser, &items, op, offset, right)) return NULL;
    }
    return compare ? finish_chain(compare, left, &items) : left;
}

static lm_node *parse_not(lm_parser *parser) {
    if (!lm_parser_is_name(parser, "not")) return parse_comparison(parser);
    lm_node *node = lm_parser_node(parser, LM_NODE_NOT, parser->token.offset);
    if (!node || !lm_parser_enter(parser) || !lm_parser_advance(parser) || !(node->a = parse_not(parser))) return NULL;
    parser->depth--;
    return node;
}

static lm_node *parse_logic(lm_parser *parser, bool is_or) {
    lm_node *left = is_or ? parse_logic(parser, false) : parse_not(parser), *chain = NULL;
    lm_node_list items = {0};
    while (left && lm_parser_is_name(parser, is_or ? "or" : "and")) {
        if (!chain) {
            chain = lm_parser_node(parser, is_or ? LM_NODE_OR : LM_NODE_AND, parser->token.offset);
            if (!chain || !lm_parser_push(parser, &items, left)) return NULL;
        }
        if (!lm_parser_advance(parser) || !(left = is_or ? parse_logic(parser, false) : parse_not(parser))) return NULL;
        if (!lm_parser_push(parser, &items, left)) return NULL;
    }
    return chain && left ? finish_chain(chain, NULL, &items) : left;
}

static lm_node *parse_conditional(lm_parser *parser, bool conditional) {
    uint32_t depth = parser->depth;
    if (!lm_parser_enter(parser)) return NULL;
    lm_node *value = parse_logic(parser, true);
    while (value && conditional && lm_parser_is_name(parser, "if")) {
        lm_node *node = lm_parser_node(parser, LM_NODE_CONDITIONAL, parser->token.offset);
        bool has_else;
        if (!node || !lm_parser_enter(parser) || !lm_parser_advance(parser)) return NULL;
        node->b = value;
        if (!(node->a = parse_logic(parser, true)) || !lm_parser_skip_name(parser, "else", &has_else)) return NULL;
        if (has_else && !(node->c = parse_conditional(parser, true))) return NULL;
        value = node;
    }
    parser->depth = depth;
    return value;
}

lm_node *lm_parse_expression(lm_parser *parser) { return parse_conditional(parser, true); }

static bool ends_tuple(const lm_parser *parser) {
    return parser->token.kind == LM_LEXEME_PRINT_END || parser->token.kind == LM_LEXEME_BLOCK_END ||
           lm_parser_is_punctuation(parser, ')') || lm_parser_is_punctuation(parser, ']') ||
           lm_parser_is_name(parser, "recursive");
}

lm_node *lm_parse_tuple(lm_parser *parser, bool conditional, bool explicit_parentheses) {
    uint32_t offset = parser->token.offset;
    lm_node_list items = {0};
    bool comma = false;
    while (!ends_tuple(parser)) {
        lm_node *item = parse_conditional(parser, conditional);
        if (!item || !lm_parser_push(parser, &items, item)) return NULL;
        if (!lm_parser_is_punctuation(parser, ',')) break;
        comma = true;
        if (!lm_parser_advance(parser)) return NULL;
    }
    if (items.count == 1 && !comma) return items.items[0];
    if (items.count == 0 && !explicit_parentheses) return unexpected(parser);
    lm_node *node = lm_parser_node(parser, LM_NODE_TUPLE, offset);
    if (!node) return NULL;
    node->items = items.items;
    node->n_items = items.count;
    return node;
}

lm_node *lm_parse_target(lm_parser *parser, bool with_tuple, bool with_namespace) {
    lm_node_list items = {0};
    uint32_t offset = parser->token.offset;
    bool comma = false;
    if (!lm_parser_enter(parser)) return NULL;
    do {
        lm_node *item = NULL;
        if (lm_parser_is_punctuation(parser, '(')) {
            if (!lm_parser_advance(parser) || !(item = lm_parse_target(parser, true, with_namespace)) ||
                !lm_parser_expect(parser, ')'))
                return NULL;
        } else {
            if (comma && (lm_parser_is_name(parser, "in") || lm_parser_is_punctuation(parser, '=') ||
                          lm_parser_is_punctuation(parser, ')')))
                break;
            lm_lexeme token = parser->token;
            static const char *const reserved[] = {"true", "false", "none", "True", "False", "None"};
            if (token.kind != LM_LEXEME_NAME || is_name_in(parser, reserved, 6)) {
                lm_parser_fail(parser, LM_ERR_FORMAT, token.offset, "expected the name of a variable to assign to");
                return NULL;
            }
            if (!(item = lm_parser_node(parser, LM_NODE_NAME, token.offset)) ||
                !lm_parser_symbol(parser, token.text, &item->symbol) || !lm_parser_advance(parser))
                return NULL;
            item->text = token.text;
            if (with_namespace && lm_parser_is_punctuation(parser, '.')) {
                item->kind = LM_NODE_NAMESPACE_TARGET;
                if (!lm_parser_advance(parser)) return NULL;
                item->text = parser->token.text;
                if (parser->token.kind != LM_LEXEME_NAME) {
                    lm_parser_fail(parser, LM_ERR_FORMAT, parser->token.offset, "expected the name of an attribute");
                    return NULL;
                }
                if (!lm_parser_advance(parser)) return NULL;
            }
        }
        if (!lm_parser_push(parser, &items, item)) return NULL;
        comma = with_tuple && lm_parser_is_punctuation(parser, ',');
        if (comma && !lm_parser_advance(parser)) return NULL;
    } while (comma);
    parser->depth--;
    if (items.count == 1 && !comma) return items.items[0];
    lm_node *node = lm_parser_node(parser, LM_NODE_TUPLE, offset);
    if (!node) return NULL;
    node->items = items.items;
    node->n_items = items.count;
    return node;
}
