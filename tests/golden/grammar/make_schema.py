#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""JSON Schema cases of our own: schema.json next to this file. Texts are labelled by hand; where the jsonschema package is
installed the labels are checked with it."""
import json
import os

S, I, N = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def O(properties, required=(), **more):
    return {"type": "object", "properties": properties, "required": list(required), **more}


def refs(*names):
    return [{"$ref": "#/$defs/" + name} for name in names]


# What schema generators write: a union with tags (pydantic), one with a discriminator whose tag no branch fixes (OpenAPI).
PETS = {"$defs": {
    "Cat": O({"kind": {"const": "cat", "title": "Kind", "type": "string"}, "lives": {"default": 9, "title": "Lives", "type": "integer"}}, ["kind"], title="Cat"),
    "Dog": O({"kind": {"const": "dog", "title": "Kind", "type": "string"}, "owner": {"anyOf": [{"$ref": "#/$defs/Owner"}, {"type": "null"}], "default": None}}, ["kind"], title="Dog"),
    "Lizard": O({"kind": {"enum": ["lizard", "gecko"], "title": "Kind", "type": "string"}, "loves": {"items": {"$ref": "#/$defs/Pet"}, "type": "array"}}, ["kind"], title="Lizard"),
    "Owner": O({"name": S}, ["name"]),
    "Pet": {"discriminator": {"mapping": {"cat": "#/$defs/Cat", "dog": "#/$defs/Dog"}, "propertyName": "kind"}, "oneOf": refs("Cat", "Dog", "Lizard")}},
    "properties": {"pet": {"$ref": "#/$defs/Pet"}, "n": I}, "required": ["pet"], "title": "Model", "type": "object"}
API = {"$defs": {
    "Base": O({"petType": S, "name": {"type": "string", "nullable": True}}, ["petType"], discriminator={"propertyName": "petType"}),
    "Cat": {"allOf": [{"$ref": "#/$defs/Base"}, O({"hunts": {"type": "boolean"}, "age": {"type": "integer", "format": "int32"}}, ["hunts"])]},
    "Dog": {"allOf": [{"$ref": "#/$defs/Base"}, O({"bark": {"type": "boolean"}}, ["bark"])]}},
    "oneOf": refs("Cat", "Dog"), "discriminator": {"propertyName": "petType", "mapping": {"cat": "#/$defs/Cat"}}}
TREE = {"$defs": {"t": {"oneOf": [O({"left": {"$ref": "#/$defs/t"}, "v": I}), O({"left": {"$ref": "#/$defs/t"}, "v": S, "w": N}, ["v"])]}}, "$ref": "#/$defs/t"}
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
    ("number/cents_above_zero", {"type": "number", "multipleOf": 0.01, "exclusiveMinimum": 0}, ["0.01", "0.5", "3", "0.10"], ["0.033", "0.001", "0", "0.00", "1.005"]),
    ("number/between_cents", {"type": "number", "multipleOf": 0.01, "minimum": -3.3, "maximum": 12.5}, ["-3.3", "12.50", "-0.03", "0"], ["-0.037", "-3.31", "12.51", "0.125"]),
    ("number/halves", {"type": "number", "multipleOf": 0.5}, ["0", "0.5", "12", "-7.5", "3.0"], ["0.25", "0.51", "1.1", "-0.1"]),
    ("number/quarters_and_threes", {"type": "number", "allOf": [{"multipleOf": 0.75}, {"multipleOf": 0.5}]}, ["0", "1.5", "3", "-4.5"], ["0.75", "0.5", "1", "2.25"]),
    ("integer/multiple_of_a_fraction", {"type": "integer", "multipleOf": 2.5}, ["0", "5", "-10"], ["2", "2.5", "7"]),
    ("integer/fractional_bounds", {"type": "integer", "minimum": 1.5, "maximum": 3.5}, ["2", "3"], ["1", "4"]),
    ("string/pattern_search", {"type": "string", "pattern": "b+$|^a"}, ['"a"', '"ax"', '"xb"', '"xbb"'], ['"x"', '"ba"', '""']),
    ("string/pattern_controls", {"type": "string", "pattern": "^[\\x00-\\x1f\"]$"}, ['"\\n"', '"\\u0001"', '"\\""'], ['"a"', '"n"']),
    ("string/negative_lookahead", {"type": "string", "pattern": "^(?!foo)[a-z]+$"}, ['"bar"', '"fo"'], ['"foo"', '"foobar"']),
    ("string/category", {"type": "string", "pattern": "^\\p{Lu}\\p{Ll}*[\\p{L}\\p{Nd} '-]{0,3}$"}, ['"École"', '"Ωμέγα"', '"A"', '"Ab12"', '"Ṫ٤"', '"Ab日本०"'], ['"école"', '"1"', '"A!"', '""', '"Aáb5555"']),
    ("string/no_category", {"type": "string", "pattern": "^(\\P{Letter}|[^\\p{gc=P}x]{2})$"}, ['"1"', '"¿"', '"ab"', '"\\n"', '"𐿽"'], ['"a"', '"日"', '"a."', '"xa"', '"«»"']),
    ("string/category_names", {"type": "string", "pattern": "^\\p{Uppercase_Letter}\\p{digit}\\p{LC}\\p{General_Category=Currency_Symbol}\\p{Z}$"}, ['"A1a€ "', '"Б٣ǅ$ "'], ['"a1a€ "', '"A1a€_"', '"A1ªx "']),
    ("string/white_space", {"type": "string", "pattern": "^\\s$"}, ['" "', '"\\t"', '"\u00a0"', '"\u2028"'], ['"a"', '"\ufeff"', '"\\u001c"', '"\u0085"']),
    ("string/no_white_space", {"type": "string", "pattern": "^\\S$"}, ['"a"', '"é"'], ['" "', '"\ufeff"', '"\\u001f"', '"\u0085"']),
    ("string/no_white_space_in_class", {"type": "string", "pattern": "^[^\\sa]$"}, ['"b"'], ['" "', '"a"', '"\ufeff"', '"\u0085"']),
    ("string/white_space_or_not", {"type": "string", "pattern": "^[\\s\\S]$"}, ['"a"', '"\\n"', '"\ufeff"', '"\u0085"'], ['""', '"ab"']),
    ("string/white_space_lookahead", {"type": "string", "pattern": "^(?!\\s).$"}, ['"a"'], ['" "', '"\ufeff"', '"\\u001c"']),
    ("string/decimal", {"type": "string", "pattern": "^(?!^[-+.]*$)[+-]?\\d{0,3}(?:$|(?=[\\d.]{0,4}$)\\.\\d*$)"}, ['"1"', '"+123.456"', '".5"', '"-2."'], ['""', '"+"', '"."', '"1.2345"', '"x"']),
    ("string/beginning_said_twice", {"type": "string", "pattern": "^(^ab|c(?=d)d)"}, ['"ab"', '"cdx"'], ['"b"', '"xab"', '"cx"']),
    ("string/named_group", {"type": "string", "pattern": "^(?P<y>\\d\\d)-\\d$"}, ['"12-3"'], ['"1-3"', '"y12-3"']),
    ("string/two_patterns", {"allOf": [{"type": "string", "pattern": "a"}, {"pattern": "b"}]}, ['"ab"', '"xbya"'], ['"a"', '"b"']),
    ("string/leap_day", {"type": "string", "format": "date"}, ['"2024-02-29"', '"2000-02-29"', '"0400-02-29"', '"0001-01-01"'],
     ['"2023-02-29"', '"1900-02-29"', '"2023-04-31"', '"0000-01-01"', '"0000-02-29"']),
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
    ("object/declared_names_once", {"type": "object", "properties": {"a": I, "b": I}, "additionalProperties": I}, ['{"a":1,"b":2,"c":3}', '{"b":1,"c":2}'],
     ['{"a":1,"a":2}', '{"a":1,"b":1,"a":2}', '{"c":1,"a":2,"c":3}', '{"b":1,"c":2,"b":3}', '{"a":1,"\\u0061":2}']),
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
    ("array/contains_counted", {"type": "array", "items": I, "contains": {"const": 7}, "minContains": 2, "maxContains": 3}, ["[7,7]", "[1,7,2,7]", "[7,7,7,1,1]"], ["[]", "[7]", "[1,7]", "[7,7,7,7]", "[7,1,7,7,2,7]"]),
    ("array/contains_few", {"type": "array", "contains": {"minimum": 5}, "minContains": 0, "maxContains": 1, "items": I, "minItems": 1}, ["[1]", "[9]", "[1,9,2]"], ["[]", "[9,9]", "[5,1,6]"]),
    ("array/contains_nothing", {"type": "array", "items": I, "contains": {"const": 7}, "minContains": 0}, ["[]", "[1]", "[7,7]"], ['["a"]']),
    ("array/longer_than_positions", {"type": "array", "prefixItems": [I], "minItems": 2}, ['[1,"a"]', "[1,2,null]"], ["[1]", '["a",1]']),
    ("array/optional_tail", {"type": "array", "prefixItems": [I, S], "items": False}, ["[]", "[1]", '[1,"a"]'], ['["a"]', '[1,"a",2]']),
    ("ref/percent_and_tilde", {"$defs": {"a/b c": I}, "$ref": "#/$defs/a~1b%20c"}, ["1"], ['"1"']),
    ("ref/anchor", {"$defs": {"x": {"$anchor": "item", "type": "array", "items": {"$ref": "#item"}}}, "$ref": "#item"}, ["[]", "[[],[[]]]"], ["1", "[1]"]),
    ("ref/id", {"type": "object", "properties": {"tree": {"$id": "T", "type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "T"}}}, "additionalProperties": False}}},
     ['{"tree":{"kids":[{},{"kids":[]}]}}'], ['{"tree":{"kids":[1]}}', '{"tree":{"kids":[{"tree":{}}]}}']),
    ("ref/pointer_in_a_document_of_its_own", {"$defs": {"n": I, "x": {"$id": "urn:x", "$defs": {"n": S}, "type": "array", "items": {"$ref": "#/$defs/n"}}}, "$ref": "urn:x"}, ['["a"]'], ["[1]"]),
    ("ref/an_id_that_is_a_value", {"$defs": {"x": {"$id": "y", "const": {"$id": "z", "type": "null"}}, "z": {"$id": "z", "type": "integer"}}, "$ref": "z"}, ["1"], ["null"]),
    ("ref/deep_recursion", {"$defs": {"n": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#/$defs/n"}, "maxItems": 2}]}}, "$ref": "#/$defs/n"},
     ["null", "[[],[null,[[[]]]]]"], ["[null,null,null]", "[1]"]),
    ("object/unevaluated_beside_allOf", {"type": "object", "properties": {"a": I}, "allOf": [{"properties": {"b": S}}], "unevaluatedProperties": False}, ['{"a":1,"b":"x"}', "{}"], ['{"c":1}', '{"b":1}']),
    ("object/unevaluated_in_a_cousin", {"type": "object", "allOf": [{"properties": {"a": I}}, {"properties": {"b": I}, "unevaluatedProperties": False}]}, ['{"b":1}', "{}"], ['{"a":1}', '{"a":1,"b":1}']),
    ("object/unevaluated_below_a_ref", {"$defs": {"x": {"unevaluatedProperties": False}}, "type": "object", "properties": {"a": I}, "$ref": "#/$defs/x"}, ["{}"], ['{"a":1}']),
    ("object/unevaluated_in_a_branch", {"type": "object", "unevaluatedProperties": False, "anyOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"properties": {"b": I}}]}, ['{"a":1}', '{"b":2}', "{}"], ['{"a":2}', '{"c":1}']),
    ("object/unevaluated_and_denied", {"type": "object", "unevaluatedProperties": False, "properties": {"b": I}, "not": {"properties": {"a": {"const": 1}}, "required": ["a"]}}, ["{}", '{"b":1}'], ['{"a":2}', '{"a":1}']),
    ("object/unevaluated_of_a_kind", {"type": "object", "properties": {"a": I}, "unevaluatedProperties": S}, ['{"a":1}', '{"a":1,"b":"x"}', '{"b":"x"}'], ['{"b":1}', '{"a":"x"}']),
    ("object/unevaluated_where_all_is", {"type": "object", "properties": {"a": I}, "allOf": [{"additionalProperties": {"type": ["integer", "string"]}}], "unevaluatedProperties": False}, ['{"a":1,"b":"x"}'], ['{"a":"x"}', '{"b":null}']),
    ("object/dependent_schema", {"type": "object", "properties": {"card": I}, "dependentSchemas": {"card": O({"address": S}, ["address"])}}, ["{}", '{"card":1,"address":"x"}'], ['{"card":1}', '{"card":1,"address":2}', '{"address":"x"}']),
    ("object/dependencies", {"type": "object", "properties": {"a": I, "b": I, "c": I}, "dependencies": {"a": ["b"], "b": {"required": ["c"]}}}, ["{}", '{"c":1}', '{"b":1,"c":1}', '{"a":1,"b":1,"c":1}'], ['{"a":1}', '{"b":1}', '{"a":1,"b":1}']),
    ("object/dependent_and_others", {"dependentRequired": {"a": ["b"]}}, ['{"b":1}', '{"x":1}', "{}", '{"a":1,"b":2}'], ['{"a":1}', '{"a":1,"x":2}']),
    ("object/at_most_two", {"type": "object", "properties": {"a": I, "b": I, "c": I}, "maxProperties": 2}, ["{}", '{"a":1}', '{"a":1,"c":1}', '{"b":1,"c":1}'], ['{"a":1,"b":1,"c":1}']),
    ("object/at_least_two", {"type": "object", "properties": {"a": I, "b": I, "c": I}, "required": ["b"], "minProperties": 2}, ['{"a":1,"b":1}', '{"b":1,"c":1}', '{"a":1,"b":1,"c":1}'], ['{"b":1}', '{"a":1,"c":1}']),
    ("object/one_of_any_name", {"type": "object", "properties": {"a": I}, "additionalProperties": S, "maxProperties": 1}, ["{}", '{"a":1}', '{"b":"x"}'], ['{"a":1,"b":"x"}', '{"b":1}', '{"b":"x","c":"y"}']),
    ("object/counted_and_open", {"type": "object", "properties": {"a": I}, "additionalProperties": S, "minProperties": 2, "maxProperties": 3}, ['{"a":1,"b":"x"}', '{"b":"x","c":"y"}', '{"a":1,"b":"x","c":"y"}'], ['{"a":1}', '{"b":"x"}', '{"a":1,"b":"x","c":"y","d":"z"}', '{"b":"","c":"","d":"","e":""}']),
    ("string/duration", {"type": "string", "format": "duration"}, ['"P4DT12H30M5S"', '"PT36H"', '"P1Y2M"', '"P3W"', '"PT1M"'], ['"P"', '"PT"', '"P1YT"', '"4D"', '"P2D1Y"', '"PT1D"', '"P1W2D"']),
    ("choice/beside_base", {"type": "object", "properties": {"k": {"enum": ["a", "b"]}}, "required": ["k"], "oneOf": [
        {"properties": {"k": {"const": "a"}, "x": I}, "required": ["x"]}, {"properties": {"k": {"const": "b"}, "y": S}}]},
     ['{"k":"a","x":1}', '{"k":"b"}', '{"k":"b","y":"z"}'], ['{"k":"a"}', '{"k":"b","x":1}', '{"k":"c"}']),
    ("not/string_keywords", {"type": "string", "not": {"pattern": "a", "minLength": 2}}, ['"a"', '"bcd"', '""'], ['"ab"', '"xxa"', '"\\u0061b"']),
    ("not/white_space", {"type": "string", "maxLength": 1, "not": {"pattern": "\\s"}}, ['""', '"a"'], ['" "', '"\\n"', '"\ufeff"']),
    ("not/integer", {"type": "number", "not": {"type": "integer"}}, ["0.5", "-1.25", "10.01"], ["1", "1.0", "0", "-3.00", "1e2"]),
    ("not/multiple", {"type": "number", "not": {"multipleOf": 3}, "minimum": -7}, ["1", "-2", "3.5", "10"], ["3", "0", "-6", "3.0", "12.00"]),
    ("not/cents", {"type": "number", "not": {"multipleOf": 0.01}}, ["0.125", "-1.001"], ["1", "0.12", "0.120", "5.5"]),
    ("not/number", {"type": "number", "not": {"enum": [1, 2.5, -3]}}, ["2", "1.5", "3", "2.55", "10"], ["1", "1.0", "2.5", "2.50", "-3", "-3.0"]),
    ("not/spelled_integer", {"type": "integer", "not": {"const": 1.0}}, ["2", "10"], ["1"]),
    ("not/bounds", {"type": "integer", "not": {"minimum": 3, "exclusiveMaximum": 7}}, ["2", "7", "-4"], ["3", "6"]),
    ("not/recursive", {"$defs": {"n": O({"c": {"$ref": "#/$defs/n"}}, ["c"])}, "type": "object", "properties": {"c": {"type": "object", "properties": {"c": I}}}, "not": {"$ref": "#/$defs/n"}},
     ['{"c":{"c":1}}', '{"c":{}}', "{}"], ['{"c":1}']),
    ("not/counts", {"type": ["array", "object"], "items": I, "additionalProperties": I, "not": {"minItems": 2, "maxProperties": 1}}, ["[]", "[1]", '{"a":1,"b":2}'], ["[1,2]", "{}", '{"a":1}']),
    ("not/at_most", {"type": "array", "items": I, "not": {"maxItems": 1}}, ["[1,2]", "[1,2,3]"], ["[]", "[1]"]),
    ("not/contains", {"type": "array", "items": {"enum": [1, 2]}, "not": {"contains": {"const": 1}}}, ["[]", "[2]", "[2,2]"], ["[1]", "[2,1]"]),
    ("if/counts", {"type": "object", "properties": {"tags": {"type": "array", "items": S}, "why": S}, "if": {"required": ["tags"], "properties": {"tags": {"minItems": 1}}}, "then": {"required": ["why"]}},
     ["{}", '{"tags":[]}', '{"tags":["a"],"why":"x"}', '{"why":"x"}'], ['{"tags":["a"]}']),
    ("not/items", {"type": "array", "items": {"enum": [1, 2]}, "not": {"items": {"const": 1}}}, ["[2]", "[1,2]", "[1,1,2]"], ["[]", "[1]", "[1,1]"]),
    ("array/contains_and_counts", {"type": "array", "items": I, "contains": {"const": 7}, "minItems": 2, "maxItems": 3},
     ["[7,1]", "[1,7]", "[1,2,7]", "[7,7,7]"], ["[7]", "[1,2]", "[1,2,3]", "[1,2,3,7]", "[7,1,2,3]"]),
    ("string/impossible_length", {"type": ["string", "null"], "minLength": 2, "maxLength": 1}, ["null"], ['"a"', '"ab"', '""']),
    ("oneOf/number_kinds", {"oneOf": [I, N]}, ["0.5", "-1.25"], ["1", "0", "1.0", "1e2", '"a"']),
    ("oneOf/fizz", {"oneOf": [{"type": "number", "multipleOf": 5}, {"type": "number", "multipleOf": 3}]}, ["5", "9", "-10"], ["15", "0", "2", "-30"]),
    ("oneOf/required", {"type": "object", "properties": {"a": I, "b": I}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
     ['{"a":1}', '{"b": 2}'], ["{}", '{"a":1,"b":2}']),
    ("oneOf/required_three", {"oneOf": [{"required": ["a"]}, {"required": ["b"]}, {"required": ["c"]}]}, ['{"a":1}', '{"b":[]}', '{"c":null,"x":1}'], ["{}", '{"x":1}', '{"a":1,"c":1}', '{"a":1,"b":2,"c":3}']),
    ("oneOf/null_or_ref", {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/x"}], "$defs": {"x": O({"a": I})}}, ["null", "{}", '{"a":1}'], ["1", '{"a":"x"}']),
    ("oneOf/tagged", PETS, ['{"pet":{"kind":"cat"}}', '{"pet": {"kind": "dog", "owner": {"name": "x"}}, "n": 1}', '{"pet":{"kind":"dog","owner":null}}', '{"pet":{"kind":"gecko","loves":[{"kind":"cat","lives":2},{"kind":"lizard"}]}}'],
     ['{"pet":{"kind":"cow"}}', '{"pet":{"lives":1}}', '{"pet":{"kind":"cat","lives":"x"}}', '{"pet":{"kind":"dog","owner":{}}}']),
    ("oneOf/tag_not_required", {"oneOf": [O({"k": {"const": "a"}, "x": I}, ["x"]), O({"k": {"const": "b"}, "x": I}, ["x"])]}, ['{"k":"a","x":1}', '{"k":"b","x":2}'], ['{"x":3}', '{"k":"c","x":1}']),
    ("oneOf/discriminator", API, ['{"petType":"cat","name":"x","hunts":true}', '{"petType":"dog","bark":false}', '{"petType":"c","hunts":true,"age":3}'], ['{"petType":"cat"}', '{"hunts":true}', '{"petType":"d","bark":1}']),
    ("oneOf/tags_below", {"oneOf": [{"anyOf": [O({"k": {"const": "a"}}, ["k"]), O({"k": {"const": "b"}, "n": I}, ["k"])]}, {"oneOf": [O({"k": {"const": "c"}}, ["k"]), {"type": "null"}]}]},
     ['{"k":"a"}', '{"k":"b","n":1}', '{"k":"c"}', "null"], ['{"k":"d"}', '{"k":"b","n":"x"}']),
    ("oneOf/own_names", {"oneOf": [O({"a": I, "b": S}, ["a"]), O({"a": I, "c": S}, ["c"])]}, ['{"a":1}', '{"a":1,"b":"x"}', '{"c":"x"}'], ["{}", '{"a":1,"c":"x"}', '{"a":"x"}']),
    ("oneOf/strict", {"oneOf": [O({"a": I, "b": S}, ["a"], additionalProperties=False), O({"a": I, "c": S}, ["a"], additionalProperties=False)]}, ['{"a":1,"b":"x"}', '{"a":1,"c":"x"}'], ['{"a":1}', '{"a":1,"b":"x","c":"x"}']),
    ("oneOf/below_a_name", {"oneOf": [O({"p": O({"k": {"enum": [1, 2]}}, ["k"])}, ["p"]), O({"p": O({"k": {"enum": [2, 3]}}, ["k"])}, ["p"])]}, ['{"p":{"k":1}}', '{"p":{"k":3}}'], ['{"p":{"k":2}}', "{}"]),
    ("oneOf/patterns", {"oneOf": [{"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "b$"}]}, ['"a"', '"xb"', '"ax"'], ['"ab"', '"axb"', '"x"']),
    ("oneOf/lengths", {"oneOf": [{"type": "string", "maxLength": 3}, {"type": "string", "minLength": 3}]}, ['"ab"', '"abcd"', '""'], ['"abc"', '"\\u00e9\\u00e9\\u00e9"']),
    ("oneOf/value_or_any", {"oneOf": [{"const": "auto"}, S, {"type": "integer", "minimum": 1}, {"const": 0}]}, ['"x"', '""', "0", "3"], ['"auto"', "-1"]),
    ("oneOf/dates", {"oneOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}, ['"2024-01-31"', '"2024-01-31T01:02:03Z"'], []),
    ("oneOf/lists", {"oneOf": [{"type": "array", "items": S}, {"type": "array", "items": I}]}, ['["a"]', "[1,2]"], ["[]", '[1,"a"]']),
    ("oneOf/list_or_item", {"oneOf": [S, {"type": "array", "items": S, "minItems": 1}]}, ['"a"', '["a","b"]'], ["[]", "[1]"]),
    ("oneOf/ranges", {"oneOf": [{"type": "integer", "maximum": 5}, {"type": "integer", "minimum": 3}]}, ["2", "6", "-9"], ["3", "5"]),
    ("oneOf/dead_branch", {"oneOf": [O({"a": I}), O({"a": I}, ["a"]), {"type": "null"}]}, ["{}", "null"], ['{"a":1}']),
    ("oneOf/beside_if", {"type": "object", "properties": {"a": I, "b": I, "c": I}, "if": {"required": ["a"]}, "then": {"required": ["c"]}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
     ['{"a":1,"c":1}', '{"b":1}', '{"b":1,"c":2}'], ['{"a":1}', '{"c":1}', '{"a":1,"b":1,"c":1}']),
    ("oneOf/not_in_it", {"type": "object", "properties": {"a": I, "b": I}, "oneOf": [{"not": {"required": ["a"]}}, {"required": ["b"]}]}, ["{}", '{"a":1,"b":1}'], ['{"a":1}', '{"b":1}']),
    ("oneOf/recursive", TREE, ["{}", '{"v":1}', '{"v":"x"}', '{"left":{"v":"x"},"v":2}', '{"left":{"left":{}},"v":"y","w":1.5}'], ['{"v":null}', '{"left":{"v":true}}', '{"left":1}']),
]
ERRORS = [
    ("unique_integers", {"type": "array", "uniqueItems": True, "items": I}, "at most 8 known values"),
    ("unique_words", {"type": "array", "uniqueItems": True, "items": {"enum": list("abcdefghi")}}, "at most 8 known values"),
    ("unique_anything", {"uniqueItems": True}, "at most 8 known values"),
    ("unique_positions", {"uniqueItems": True, "prefixItems": [{"const": 1}], "items": {"const": 2}}, "together with positions"),
    ("unique_too_many", {"type": "array", "uniqueItems": True, "items": {"type": "boolean"}, "minItems": 3}, "allows no value"),
    ("unique_choices_of_choices", {"uniqueItems": True, "items": {"allOf": [{"anyOf": [{"type": "boolean"}, {"type": "null"}, {"const": 1}, {"const": 2}]} for _ in range(8)]}}, "at most 8 known values"),
    ("unknown_id", {"$ref": "other.json#/x", "$id": "this.json"}, "only references within the document"),
    ("unknown_anchor", {"$ref": "#x", "$defs": {"x": {"$id": "own", "$anchor": "x"}}}, "only references within the document"),
    ("multiple_too_fine", {"type": "number", "multipleOf": 0.123457}, "above 2000"),
    ("counted_too_far", {"type": "object", "properties": {"a": I}, "additionalProperties": I, "maxProperties": 5000}, "too large"),
    ("contains_too_many", {"contains": I, "minContains": 100}, "large counts"),
    ("dynamic_ref", {"$dynamicRef": "#x"}, "not supported"),
    ("property", {"type": "string", "pattern": "^\\p{Script=Greek}$"}, "Unicode property that is no general category"),
    ("property_without_name", {"type": "string", "pattern": "^\\pL$"}, "property class without a name in braces"),
    ("back_reference", {"type": "string", "pattern": "(a)\\1"}, "back reference"),
    ("word_boundary", {"type": "string", "pattern": "\\bx"}, "word boundary"),
    ("empty_intersection", {"allOf": [S, I]}, "allows no value"),
    ("required_is_false", {"properties": {"a": False}, "required": ["a"]}, "allows no value"),
    ("false", False, "the schema allows no value"),
    ("no_values", {"enum": []}, "the schema allows no value"),
    ("endless_object", {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "allows no value"),
    ("bad_count", {"type": "string", "maxLength": -1}, "a whole number from 0 on"),
    ("all_of_cycle", {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}, "leads back to itself"),
    ("not_of_a_format", {"type": "string", "not": {"format": "email"}}, "negated, which cannot be"),
    ("not_of_a_count", {"type": "array", "items": I, "not": {"contains": {"const": 1}, "minContains": 2}}, "negated, which cannot be"),
    ("one_of_a_format", {"oneOf": [{"type": "string", "format": "email"}, S]}, "negated, which cannot be"),
    ("one_of_the_same", {"oneOf": [I, I]}, "whose oneOf has branches that overlap allows no value"),
    ("one_of_optional_members", {"oneOf": [O({"name": S, "meow": {"type": "boolean"}}, ["name"]), O({"name": S, "bark": {"type": "boolean"}}, ["name"])]}, "allows no value"),
    ("one_of_cycle", {"$defs": {"a": {"oneOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}, "leads back to itself"),
]


def main():
    out = [{"name": n, "level": "core", "schema": s, "valid": v, "invalid": i} for n, s, v, i in CASES]
    out += [{"name": "error/" + n, "level": "error", "schema": s, "why": w} for n, s, w in ERRORS]
    try:
        import jsonschema
        for case in out:
            if "\\p" in str(case["schema"]).lower():  # Python's re has no properties
                continue
            check = jsonschema.Draft202012Validator(case["schema"], format_checker=jsonschema.FormatChecker())
            for text in case.get("valid", []):
                assert check.is_valid(json.loads(text)), (case["name"], text)
            for text in case.get("invalid", []):
                assert not case["name"].startswith("oneOf/") or not check.is_valid(json.loads(text)), (case["name"], text)
    except ImportError:
        pass
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in out) + "\n]\n")


if __name__ == "__main__":
    main()
