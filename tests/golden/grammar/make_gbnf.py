#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""GBNF cases of our own: gbnf.json next to this file.

Each grammar comes with the same language as a Python predicate and an alphabet. All texts up to a length are tried: the
predicate says which match, and a prefix is viable when some longer text that was tried matches. No grammar code is involved.
"""
import itertools
import json
import os
import re


def balanced(text):
    depth = 0
    for c in text:
        depth += 1 if c == "(" else -1
        if depth < 0:
            return False
    return depth == 0


def two_ways(text):
    if len(text) < 3:
        return text == "-"
    inner = text[1:-1]
    return text[0] == "a" and (text[-1] == "b" and (inner == "q" or two_ways(inner))
                               or text[-1] == "c" and (inner == "r" or two_ways(inner)))


def rx(pattern):
    return lambda text: re.fullmatch(pattern, text, re.S) is not None


# name, grammar, predicate, alphabet, longest text listed, longest text tried for viability
CASES = [
    ("choice_of_words", 'root ::= "ab" | "abc" | "b"', rx("ab|abc|b"), "abc", 3, 5),
    ("nested_repeats", 'root ::= (("a"{2} | "b")* "c"?){0,2}', rx("(((aa|b)*c?){0,2})"), "abc", 4, 7),
    ("counted_beyond_writing_out", 'root ::= ("a" | [bé]){0,100000} "c"', rx("[abé]*c"), "abcé", 3, 5),
    ("counted_exactly", 'root ::= x{3,5}\nx ::= "a" | "b"', rx("[ab]{3,5}"), "ab", 6, 6),
    ("counted_in_counted", 'root ::= (("a"{2,3}) "b"?){2}', rx("(a{2,3}b?){2}"), "ab", 6, 8),
    ("nullable_repeated", 'root ::= ("a"? "b"?){2,3} "c"', rx("(a?b?){2,3}c"), "abc", 4, 8),
    ("recursion_on_both_sides", 'root ::= "(" root ")" root | ""', balanced, "()", 5, 10),
    ("mutual_recursion", 'root ::= "a" x | "c"\nx ::= "b" root | ""', rx("(ab)*(c|a)"), "abc", 5, 7),
    ("two_ways_to_recurse", 'root ::= "a" x "b" | "a" y "c" | "-"\nx ::= root | "q"\ny ::= root | "r"',
     two_ways, "a-qbcr", 3, 7),
    ("negated_class_beyond_ascii", 'root ::= [^é-ü]+', rx("[^é-ü]+"), "eéþü", 2, 3),
    ("dot_reads_lines", 'root ::= "<" . . ">"', rx("<..>"), "<\n>é", 5, 5),
    ("quantifiers_nest", 'root ::= "a"?* "b"+?', rx("a*b*"), "ab", 4, 6),
    ("code_points_not_bytes", 'root ::= [\\u00e9]{2} "\\U0001F600"', rx("é{2}😀"), "é😀e", 4, 4),
    ("escaped_hyphen", 'root ::= [a\\-c]+ "\\-"', rx("[a\\-c]+-"), "ab-c", 4, 5),
    ("comment_at_end", 'root ::= "a" # nothing', rx("a"), "ab", 2, 2),
]
ERRORS = [
    ("recursion_behind_nullable_rule", 'root ::= y root "q" | "z"\ny ::= w\nw ::= "a" |', "left recursion"),
    ("no_finite_text", 'root ::= "a" root', "nothing can match"),
    ("reversed_counts", 'root ::= "a"{3,2}', "reversed counts"),
    ("reversed_range", "root ::= [z-a]", "reversed range"),
    ("empty_class", "root ::= []", "empty class"),
    ("surrogate", 'root ::= "\\uD800"', "not a code point"),
    ("too_deep", "root ::= " + "(" * 5000 + '"a"' + ")" * 5000, "nesting"),
    ("token_without_vocabulary", "root ::= <|call|>", "no vocabulary"),
    ("huge_nested_counts", 'root ::= "a"{99999999999}', "count"),
]


def texts(alphabet, longest):
    for n in range(longest + 1):
        for letters in itertools.product(alphabet, repeat=n):
            yield "".join(letters)


def main():
    out = []
    for name, grammar, matches, alphabet, listed, tried in CASES:
        viable = set()
        for text in texts(alphabet, tried):
            if matches(text):
                viable.update(text[:i] for i in range(len(text) + 1))
        accept, reject = [], []
        for text in texts(alphabet, listed):
            if matches(text):
                accept.append(text)
                continue
            n = len(text)
            while n > 0 and text[:n] not in viable:
                n -= 1
            reject.append({"text": text, "viable": n})
        reject = reject[:: max(1, len(reject) // 60)]
        accept = accept[:: max(1, len(accept) // 60)]
        out.append({"name": name, "grammar": grammar, "accept": accept, "reject": reject})
    out += [{"name": "error/" + name, "grammar": grammar, "error": why} for name, grammar, why in ERRORS]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gbnf.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in out) + "\n]\n")


if __name__ == "__main__":
    main()
