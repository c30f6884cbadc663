#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""JSON Schema cases of our own: schema.json next to this file. Texts are labelled by hand; where the jsonschema package is
installed the labels are checked with it."""
import json
import os

S, I, N = {"type": "string"}, {"type": "integer"}, {"type": "number"}
CASES = [
    # name, schema, valid, invalid
    ("plain/object", {"type": "object", "properties": {"a": I, "b": S}, "required": ["a"]},
     ['{"a":1}', '{"a": 1, "b": "x\\n"}', '{ "a":1}'], ['{}', '{"b":"x"}', '{"a":1,}', '{"a":01}', '{"a":1,"c":2}']),
    ("plain/recursive_value", {}, ['[[[{"a":[null,{"b":-1.5e3}]}]]]', '"\\ud83d\\ude00"'], ['[[]', '"\\ud83d"', "[1 2]", "01"]),
    ("number/fraction_bounds", {"type": "number", "minimum": 0.25, "exclusiveMaximum": 3.5},
     ["0.25", "0.3", "1", "3.49", "3", "0.250", "2.0"], ["0.2", "0.24999", "3.5", "3.50", "4", "0", "-1", "10"]),
    ("number/both_signs", {"type": "number", "minimum": -1.5, "maximum": 1}, ["-1.5", "-1.49", "-0.1", "0", "1", "1.0"],
     ["-1.51", "-2", "1.01", "2"]),
    ("number/below_zero", {"type": "number", "maximum": -0.5}, ["-0.5", "-0.51", "-3"], ["-0.4", "0", "1", "-0"]),
    ("integer/large", {"type": "integer", "minimum": 123456789012345678901234567890},
     ["123456789012345678901234567890", "123456789012345678901234567891", "1000000000000000000000000000000"],
     ["123456789012345678901234567889", "5"]),
    ("integer/range_and_multiple", {"type": "integer", "minimum": -20, "maximum": 20, "multipleOf": 6},
     ["-18", "0", "6", "18"], ["-24", "20", "24", "1", "-19"]),
    ("number/cents", {"type": "number", "multipleOf": 0.01, "minimum": 0}, ["0", "1.5", "2.25", "10"], ["0.125", "-1"]),
    ("integer/fractional_bounds", {"type": "integer", "minimum": 1.5, "maximum": 3.5}, ["2", "3"], ["1", "4"]),
    ("string/pattern_search", {"type": "string", "pattern": "b+$|^a"}, ['"a"', '"ax"', '"xb"', '"xbb"'], ['"x"', '"ba"', '""']),
    ("string/pattern_controls", {"type": "string", "pattern": "^[\\x00-\\x1f\"]$"}, ['"\\n"', '"\\u0001"', '"\\""'], ['"a"', '"n"']),
    ("string/negative_lookahead", {"type": "string", "pattern": "^(?!foo)[a-z]+$"}, ['"bar"', '"fo"'], ['"foo"', '"foobar"']),
    ("string/white_space", {"type": "string", "pattern": "^\\s$"}, ['" "', '"\\t"', '"\u00a0"', '"\u2028"'], ['"a"', '"\ufeff"', '"\\u001c"', '"\u0085"']),
    ("string/no_white_space", {"type": "string", "pattern": "^\\S$"}, ['"a"', '"é"'], ['" "', '"\ufeff"', '"\\u001f"', '"\u0085"']),
    ("string/no_white_space_in_class", {"type": "string", "pattern": "^[^\\sa]$"}, ['"b"'], ['" "', '"a"', '"\ufeff"', '"\u0085"']),
    ("string/white_space_or_not", {"type": "string", "pattern": "^[\\s\\S]$"}, ['"a"', '"\\n"', '"\ufeff"', '"\u0085"'], ['""', '"ab"']),
    ("string/white_space_lookahead", {"type": "string", "pattern": "^(?!\\s).$"}, ['"a"'], ['" "', '"\ufeff"', '"\\u001c"']),
    ("string/two_patterns", {"allOf": [{"type": "string", "pattern": "a"}, {"pattern": "b"}]}, ['"ab"', '"xbya"'], ['"a"', '"b"']),
    ("string/leap_day", {"type": "string", "format": "date"}, ['"2024-02-29"', '"2000-02-29"'], ['"2023-02-29"', '"1900-02-29"', '"2023-04-31"']),
    ("string/ipv4", {"type": "string", "format": "ipv4"}, ['"0.0.0.0"', '"255.1.20.199"'], ['"256.0.0.1"', '"1.2.3"', '"01.2.3.4"']),
    ("string/long_bound", {"type": "string", "maxLength": 100000, "minLength": 2}, ['"ab"', '"' + "x" * 5000 + '"', '"é日"'], ['"a"', '""']),
    ("enum/beside_bounds", {"enum": [1, 5, "a", "abc", None], "type": ["integer", "string"], "minimum": 2, "maxLength": 1}, ["5", '"a"'], ["1", '"abc"', "null"]),
    ("enum/spaced", {"enum": [{"a": [1, 2]}]}, ['{"a": [1, 2]}', '{"a":[1,2]}'], ['{"a":[2,1]}', '{"a":[1]}']),
    ("not/enum", {"type": "string", "not": {"enum": ["a", "bc"]}}, ['"b"', '"bcd"', '""'], ['"a"', '"bc"', '"\\u0061"']),
    ("not/required", {"type": "object", "properties": {"a": I, "b": I}, "not": {"required": ["a", "b"]}},
     ['{"a":1}', '{"b":1}', '{}'], ['{"a":1,"b":2}']),
    ("object/name_patterns", {"type": "object", "properties": {"x": I}, "patternProperties": {"^s_": S}, "additionalProperties": False},
     ['{"x":1}', '{"s_a":"v"}', '{"x":1,"s_":"v","s_b":"w"}'], ['{"y":1}', '{"s_a":1}', '{"x":1,"y":2}']),
    ("object/undeclared_never_declared", {"type": "object", "properties": {"ab": I}, "additionalProperties": S},
     ['{"ab":1,"a":"x"}', '{"abc":"y"}', '{"a":"x","b":"y"}'], ['{"ab":"x"}', '{"a":1}', '{"\\u0061b":"x"}']),
    ("object/closed_base_in_allOf", {"allOf": [{"properties": {"a": I}, "additionalProperties": False}, {"properties": {"b": I}}]},
     ['{"a":1}', "{}"], ['{"b":1}', '{"a":1,"b":2}']),
    ("array/contains", {"type": "array", "items": I, "contains": {"const": 7}}, ["[7]", "[1,7]", "[7,1]"], ["[]", "[1]", '["a",7]']),
    ("unique/choice_of_words", {"type": "array", "items": {"enum": ["red", "green", "redder"]}, "uniqueItems": True},
     ["[]", '["red"]', '["redder", "red"]', '["green","redder","red"]'], ['["red","red"]', '["red","green","red"]', '["blue"]', '["red",]']),
    ("unique/booleans_and_null", {"type": "array", "items": {"type": ["boolean", "null"]}, "uniqueItems": True, "minItems": 2},
     ["[true,false]", "[null, true, false]"], ["[true]", "[true,true]", "[null,false,null]"]),
    ("unique/small_integers", {"type": "array", "items": {"type": "integer", "minimum": -1, "exclusiveMaximum": 3}, "uniqueItems": True, "minItems": 3, "maxItems": 3},
     ["[-1,2,0]", "[0, 1, 2]"], ["[0,1]", "[0,1,2,-1]", "[1,2,1]", "[0,1,3]"]),
    ("unique/equal_values", {"type": "array", "items": {"anyOf": [{"enum": [1, {"a": 1, "b": 2}]}, {"const": 1.0}, {"const": {"b": 2, "a": 1}}]}, "uniqueItems": True},
     ["[1]", '[{"a":1,"b":2},1]'], ["[1,1.0]", '[{"a":1,"b":2},{"b":2,"a":1}]', '[1,{"a":1,"b":2},1]']),
    ("unique/beside_other_types", {"type": ["array", "string"], "items": {"$ref": "#/$defs/c"}, "uniqueItems": True, "$defs": {"c": {"enum": ["a", "b"]}}},
     ['"a"', '["b","a"]'], ['["a","a"]', '["a","b","a"]']),
    ("unique/not_an_array", {"type": "string", "uniqueItems": True}, ['"a"'], ["[1,1]"]),
    ("unique/at_most_one", {"type": "array", "items": I, "maxItems": 1, "uniqueItems": True}, ["[]", "[1]"], ["[1,1]"]),
    ("unique/none", {"type": "array", "items": False, "uniqueItems": True}, ["[]"], ["[1]"]),
    ("array/optional_tail", {"type": "array", "prefixItems": [I, S], "items": False}, ["[]", "[1]", '[1,"a"]'], ['["a"]', '[1,"a",2]']),
    ("ref/percent_and_tilde", {"$defs": {"a/b c": I}, "$ref": "#/$defs/a~1b%20c"}, ["1"], ['"1"']),
    ("ref/deep_recursion", {"$defs": {"n": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#/$defs/n"}, "maxItems": 2}]}}, "$ref": "#/$defs/n"},
     ["null", "[[],[null,[[[]]]]]"], ["[null,null,null]", "[1]"]),
    ("choice/beside_base", {"type": "object", "properties": {"k": {"enum": ["a", "b"]}}, "required": ["k"], "oneOf": [
        {"properties": {"k": {"const": "a"}, "x": I}, "required": ["x"]}, {"properties": {"k": {"const": "b"}, "y": S}}]},
     ['{"k":"a","x":1}', '{"k":"b"}', '{"k":"b","y":"z"}'], ['{"k":"a"}', '{"k":"b","x":1}', '{"k":"c"}']),
]
ERRORS = [
    ("unique_integers", {"type": "array", "uniqueItems": True, "items": I}, "at most 8 known values"),
    ("unique_words", {"type": "array", "uniqueItems": True, "items": {"enum": list("abcdefghi")}}, "at most 8 known values"),
    ("unique_anything", {"uniqueItems": True}, "at most 8 known values"),
    ("unique_positions", {"uniqueItems": True, "prefixItems": [{"const": 1}], "items": {"const": 2}}, "together with positions"),
    ("unique_too_many", {"type": "array", "uniqueItems": True, "items": {"type": "boolean"}, "minItems": 3}, "nothing can match"),
    ("unique_choices_of_choices", {"uniqueItems": True, "items": {"allOf": [{"anyOf": [{"type": "boolean"}, {"type": "null"}, {"const": 1}, {"const": 2}]} for _ in range(8)]}}, "at most 8 known values"),
    ("dynamic_ref", {"$dynamicRef": "#x"}, "not supported"),
    ("back_reference", {"type": "string", "pattern": "(a)\\1"}, "not regular"),
    ("word_boundary", {"type": "string", "pattern": "\\bx"}, "not supported"),
    ("empty_intersection", {"allOf": [S, I]}, "nothing can match"),
    ("required_is_false", {"properties": {"a": False}, "required": ["a"]}, "nothing can match"),
    ("endless_object", {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "no finite text"),
    ("bad_count", {"type": "string", "maxLength": -1}, "not a count"),
    ("all_of_cycle", {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}, "endless"),
    ("not_of_a_pattern", {"type": "string", "not": {"pattern": "a"}}, "cannot be negated"),
]


def main():
    out = [{"name": n, "level": "core", "schema": s, "valid": v, "invalid": i} for n, s, v, i in CASES]
    out += [{"name": "error/" + n, "level": "error", "schema": s, "why": w} for n, s, w in ERRORS]
    try:
        import jsonschema
        for case in out:
            check = jsonschema.Draft202012Validator(case["schema"], format_checker=jsonschema.FormatChecker())
            for text in case.get("valid", []):
                assert check.is_valid(json.loads(text)), (case["name"], text)
    except ImportError:
        pass
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in out) + "\n]\n")


if __name__ == "__main__":
    main()
