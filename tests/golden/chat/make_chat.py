#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write templates.json (rendered by Jinja2, set up as for chat templates) and parsers.json (written by hand below).

  make_chat.py        needs Jinja2 3.1; writes next to itself
"""
import datetime
import json
import pathlib

from jinja2.sandbox import SandboxedEnvironment

HERE = pathlib.Path(__file__).parent


class Raised(Exception):
    pass


def raise_exception(message):
    raise Raised(message)


env = SandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
env.filters["tojson"] = lambda x, ensure_ascii=False, indent=None, separators=None, sort_keys=False: json.dumps(
    x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
env.globals["raise_exception"] = raise_exception
env.globals["strftime_now"] = lambda f: datetime.datetime(2026, 1, 2, 3, 4, 5).strftime(f)

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Grüezi \"you\"\n"},
            {"role": "assistant", "content": None, "tool_calls": [{"name": "f", "arguments": {"x": [1, 2.5, None], "y": {}}}]}]
TEMPLATES = [
    "{% for m in messages %}\n  <{{ m.role }}>\n  {%- if m.content is string %}{{ m.content | trim }}{% else %}{{ m.tool_calls | tojson }}{% endif %}\n\n{% endfor %}",
    "{%- set ns = namespace(n=0) -%}{%- for m in messages if m.role != 'system' -%}{%- set ns.n = ns.n + loop.index -%}{{ loop.last }},{%- endfor -%}{{ ns.n }}",
    "{% macro show(v, depth=0) %}{% if v is mapping %}{{ '{' }}{% for k, w in v.items() %}{{ k }}:{{ show(w, depth + 1) }}{{ ',' if not loop.last }}{% endfor %}{{ '}' }}{% else %}{{ v }}@{{ depth }}{% endif %}{% endmacro %}{{ show(messages[2].tool_calls[0]) }}",
    "{{ messages[0]['content'].split(' ')[::-1] }} {{ messages | map(attribute='role') | join('+') }} {{ messages[-1].content is none }}",
    "{{ messages[1].content.strip().upper() }}|{{ '%-5s|%05.1f' % ('ab', 3.14159) }}|{{ 'x' ~ 1.0 ~ none }}",
    "{{ {'b': 1, 'a': [true, none]} | tojson(indent=2, sort_keys=true) }}{{ [3, 1, 2] | sort | last }}{{ 7 // 2 }}{{ -7 % 3 }}",
    "{% if messages | length > 2 %}{{ raise_exception('too many: ' ~ messages | length) }}{% endif %}",
    "{{ messages.nope.deeper }}",
    "{{ none | map('upper') | list }}{{ 0 | selectattr('x') | list }}{{ false | reject('no such test') | list }}{{ missing | map('no such filter') | join }}",
    "{{ 5 | select('odd') | list }}",
    "{{ messages[] is undefined }}{{ messages[0][] | default('none') }}{{ {(): 1}[] }}",
    "{{ 0.0 ** -2.5 }}",
    "{{ 10.0 ** 400 }}",
    "{{ 5 | indent }}",
    "{{ 5[1:] }}",
    "{{ messages[0][:2] }}",
    "{{ (messages | length)[1:] }}",
    "{{ messages[0].content[messages[0].role:] }}",
    "{{ [none, none] | sort }}{{ messages | sort(attribute='nowhere') | map(attribute='role') | join(' ') }}{{ [[2, 'b'], [1, none]] | sort | first }}",
    "{{ [1, none] | sort }}",
    "{{ 'a' + 1 }}",
    "{{ '{0[content]}/{1.role[0]}/{m[0][role]}/{m[1].role!r:>8}'.format(messages[0], messages[1], m=messages) }}",
    "{% for i in range(3) %}{% for j in range(3) %}{% if j == i %}{% continue %}{% endif %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% else %}never{% endfor %}",
    "{% set text %}{% filter upper %}a{{ 'b' }}{% endfilter %}{% endset %}[{{ text }}]{% with x = 1 %}{{ x }}{% endwith %}{{ x is defined }}",
    "{{ strftime_now('%d %B %Y') }} {{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ missing | default('d') }}",
    "{% raw %}{{ raw }}{% endraw %}{# gone #} {{ \"it's\" }} {{ ['it\\'s', 'n\\n'] }} {{ 1 < 2 < 3 }} {{ 'é' in 'né' }}",
]


def render(source):
    case = {"name": source[:24], "template": source, "context": {"messages": MESSAGES}}
    try:
        case["expected"] = env.from_string(source).render(messages=json.loads(json.dumps(MESSAGES)))
    except Raised as e:
        case["error"] = {"type": "raise_exception", "message": str(e)}
    except Exception as e:
        case["error"] = {"type": type(e).__name__, "message": str(e)}
    return case


TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {
    "a": {"type": "integer"}, "note": {"type": "string"}, "list": {"type": "array"}, "flag": {"type": ["boolean", "null"]}}}}},
         {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}]
ADD = {"name": "add", "arguments": {"a": 1, "note": "x\n\"y\" é", "list": [1, "]"], "flag": True}}
NOW = {"name": "now", "arguments": {}}
J = json.dumps(ADD["arguments"], ensure_ascii=False)
NOTE = "x\n\"y\" é"


def case(name, text, content="", reasoning="", calls=(), prompt="", finished=True):
    return {"name": name, "generation_prompt": prompt, "text": text, "finished": finished,
            "expect": {"content": content, "reasoning_content": reasoning, "tool_calls": list(calls)}}


def partial(name):
    return {"name": name, "incomplete": True, "arguments_prefix": ""}


def xml(call_open, name_end, param, key_end, close, call_close):
    values = [("a", "1"), ("note", NOTE), ("list", "[1, \"]\"]"), ("flag", "True")]
    return call_open + "add" + name_end + "".join(param + k + key_end + v + close for k, v in values) + call_close


call = '{"name": "add", "arguments": %s}' % J
M3 = "]<]minimax[>["
FAMILIES = {
    "qwen3": [
        case("two in one tag", "Hi <tool_call>[%s,\n{\"name\": \"now\"}]</tool_call> bye" % call, "Hi  bye", "", [ADD, NOW]),
        case("arguments as text", "<tool_call>{\"name\": \"now\", \"arguments\": \"{}\"}</tool_call>", calls=[NOW]),
        case("unknown name", "<tool_call>{\"name\": \"rm\", \"arguments\": {}}</tool_call>", "<tool_call>{\"name\": \"rm\", \"arguments\": {}}</tool_call>"),
        case("tag in text", "a <tool_call b", "a <tool_call b"),
        case("missing last brace", "<tool_call>{\"name\": \"now\", \"arguments\": {}</tool_call>ok", "ok", "", [NOW]),
        case("broken inside", "<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": oops}}</tool_call>", calls=[partial("add")]),
        case("cut in reasoning", "<think>\nhm", "", "hm", finished=False),
        case("calls thought about", "<think>\nA <tool_call> or <tool_call>%s</tool_call>?\n</think>\nNo." % call, "No.", "A <tool_call> or <tool_call>%s</tool_call>?" % call),
        case("call in unclosed reasoning", "So <tool_call> it is: <tool_call>%s</tool_call>" % call, "", "So <tool_call> it is:", [ADD], prompt="<think>\n"),
        case("closed without being opened", "</think>\n\nHi", "Hi"),
        case("cut behind the name", "<tool_call>\n{\"name\": \"add\", ", calls=[partial("add")], finished=False),
        case("line feed in a string", "<tool_call>{\"name\": \"add\", \"arguments\": {\"note\": \"a\nb\"}}</tool_call>", calls=[{"name": "add", "arguments": {"note": "a\nb"}}]),
    ],
    "qwen3-xml": [
        case("closing tag inside a value", "<function=add>\n<parameter=note>\na </parameter> b\n</parameter>\n</function>", calls=[{"name": "add", "arguments": {"note": "a </parameter> b"}}]),
        case("a name in quotes", "<function=\"now\" >\n</function>", calls=[NOW]),
        case("unknown function", "see <function=foo> here", "see <function=foo> here"),
        case("text after a call", "<tool_call>\n<function=now>\n</function>\n</tool_call>\ndone", "done", "", [NOW]),
        case("stray text in a call", "<function=now>\nwhat?", "what?", "", [partial("now")]),
    ],
    "gemma4": [
        case("bare words", "<|tool_call>call:add{a: 1, note:<|\"|>%s<|\"|>,list:[1,<|\"|>]<|\"|>],flag:true}<tool_call|>" % NOTE, calls=[ADD]),
        case("stray marks", "<|channel>a<channel|>b", "ab"),
        case("waiting for a result", "<|tool_call>call:now{}<tool_call|><|tool_response>", calls=[NOW]),
        case("no thoughts on one line", "<|channel>thought<channel|>thought", "thought"),
        case("broken", "<|tool_call>call:now{a:}<tool_call|>x", "x", "", [partial("now")]),
    ],
    "llama3": [
        case("two calls", "{\"name\": \"add\", \"parameters\": %s}; {\"name\": \"now\", \"parameters\": {}}" % J, calls=[ADD, NOW]),
        case("no parameters", "{\"name\": \"now\"}", "{\"name\": \"now\"}"),
        case("call in python", "<|python_tag|>add.call(note=\"x \\\"y\\\"\", a=1, flag=None)<|eom_id|>", calls=[{"name": "add", "arguments": {"note": "x \"y\"", "a": 1, "flag": None}}]),
        case("python that calls nothing", "<|python_tag|>print(add.call(1))", "<|python_tag|>print(add.call(1))"),
        case("call in python cut off", "<|python_tag|>add.call(note=\"x", calls=[partial("add")], finished=False),
    ],
    "deepseek": [
        case("spelled with underscores", "<｜tool_calls_begin｜><｜tool_call_begin｜>function<｜tool_sep｜>add\n```json\n%s\n```<｜tool_call_end｜><｜tool_calls_end｜>" % J, calls=[ADD]),
        case("unclosed reasoning", "thinking<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜>", "", "thinking", [NOW], prompt="<think>\n"),
        case("section and nothing", "<｜tool▁calls▁begin｜> hm", "<｜tool▁calls▁begin｜> hm"),
        case("dsml", "<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"add\">\n<｜DSML｜parameter name=\"note\" string=\"true\">1</｜DSML｜parameter>\n<｜DSML｜parameter name=\"a\" string=\"false\">2</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>", calls=[{"name": "add", "arguments": {"note": "1", "a": 2}}]),
    ],
    "kimi-k2": [
        case("no section", "ok<|tool_call_begin|>functions.now:3<|tool_call_argument_begin|>{}", "ok", "", [dict(NOW, id="functions.now:3")]),
        case("empty arguments", "<|tool_call_begin|>functions.now:0<|tool_call_argument_begin|><|tool_call_end|>", calls=[dict(NOW, id="functions.now:0")]),
    ],
    "harmony": [
        case("no channel", "Hello", "Hello", prompt="<|start|>assistant"),
        case("python is no function", "<|channel|>commentary to=python<|message|>1+1<|call|>", "", "1+1", prompt="<|start|>assistant"),
        case("unknown function", "<|channel|>commentary to=functions.rm<|message|>{}<|call|>", "<|channel|>commentary to=functions.rm<|message|>{}", prompt="<|start|>assistant"),
        case("not JSON", "<|channel|>commentary to=functions.now<|message|>soon<|call|>", calls=[partial("now")], prompt="<|start|>assistant"),
    ],
    "mistral": [
        case("only the mark", "[TOOL_CALLS] none", "[TOOL_CALLS] none"),
        case("one object", "[TOOL_CALLS]{\"name\": \"now\", \"arguments\": {}}", calls=[NOW]),
    ],
    "granite": [case("list", "<|tool_call|>[%s, {\"name\": \"now\", \"arguments\": {}}]" % call, calls=[ADD, NOW])],
    "cohere": [case("actions", "<|START_THINKING|>why<|END_THINKING|><|START_ACTION|>[\n{\"tool_call_id\": \"0\", \"tool_name\": \"add\", \"parameters\": %s}\n]<|END_ACTION|>" % J, "", "why", [dict(ADD, id="0")])],
    "apertus": [case("name as key", "<|tools_prefix|>[{\"add\": %s}, {\"now\": {}}]<|tools_suffix|>" % J, calls=[ADD, NOW])],
    "nemotron": [case("list", "a<TOOLCALL>[%s]</TOOLCALL>" % call, "a", "", [ADD])],
    "glm": [case("keys and values", xml("<tool_call>", "\n", "<arg_key>", "</arg_key>\n<arg_value>", "</arg_value>\n", "</tool_call>"), calls=[ADD]),
            case("no arguments", "<think>t</think><tool_call>now</tool_call>", "", "t", [NOW])],
    "seed-oss": [case("block", "<seed:think>t</seed:think><seed:tool_call>\n" + xml("<function=", ">\n", "<parameter=", ">", "</parameter>\n", "</function>") + "\n</seed:tool_call>", "", "t", [ADD]),
                 case("line feeds in a value", "<function=add><parameter=note>a\n</parameter></function>", calls=[{"name": "add", "arguments": {"note": "a\n"}}])],
    "minimax-m2": [case("block", "<minimax:tool_call>\n" + xml("<invoke name=\"", "\">\n", "<parameter name=\"", "\">", "</parameter>\n", "</invoke>") + "\n</minimax:tool_call>", calls=[ADD])],
    "minimax-m3": [
        case("block", "<mm:think>t</mm:think>Hi" + M3 + "<tool_call>\n" + M3 + "<invoke name=\"add\">" + M3 + "<a>1" + M3 + "</a>" + M3 + "<note>x\n\"y\" é" + M3 + "</note>" +
             M3 + "<list>" + M3 + "<item>1" + M3 + "</item>" + M3 + "<item>]" + M3 + "</item>" + M3 + "</list>" + M3 + "<flag>true" + M3 + "</flag>" + M3 + "</invoke>\n" +
             M3 + "<invoke name=\"now\">" + M3 + "</invoke>\n" + M3 + "</tool_call>", "Hi", "t", [ADD, NOW]),
        case("elements in elements", M3 + "<tool_call>" + M3 + "<invoke name=\"add\">" + M3 + "<list> " + M3 + "<item>" + M3 + "<item>2" + M3 + "</item>" + M3 + "</item> " + M3 + "<item>" +
             M3 + "<k>v" + M3 + "</k>" + M3 + "</item>" + M3 + "</list>" + M3 + "<other>" + M3 + "<x>" + M3 + "</x>" + M3 + "</other>" + M3 + "</invoke>" + M3 + "</tool_call>",
             calls=[{"name": "add", "arguments": {"list": [[2], {"k": "v"}], "other": {"x": ""}}}]),
        case("another tag's end in a text", M3 + "<invoke name=\"add\">" + M3 + "<note>a" + M3 + "</not>" + M3 + "</notes>b" + M3 + "</note>" + M3 + "</invoke>",
             calls=[{"name": "add", "arguments": {"note": "a" + M3 + "</not>" + M3 + "</notes>b"}}]),
        case("an end is missing", M3 + "<tool_call>" + M3 + "<invoke name=\"add\">" + M3 + "<note>a" + M3 + "</note>", calls=[{"name": "add", "incomplete": True, "arguments_prefix": '{"note": "a"'}]),
        case("json in an element", M3 + "<invoke name=\"add\">" + M3 + "<list>[1, \"]\"]" + M3 + "</list>" + M3 + "</invoke>", calls=[{"name": "add", "arguments": {"list": [1, "]"]}}]),
    ],
    "minicpm5": [case("tags", xml("<function name=\"", "\">", "<param name=\"", "\">", "</param>", "</function>"), calls=[ADD]),
                 case("quoted", "<function name=\"add\"><param name=\"note\"><![CDATA[a & </param></function>]]></param><param name=\"list\"><![CDATA[\n[1]\n]]></param></function>",
                      calls=[{"name": "add", "arguments": {"note": "a & </param></function>", "list": [1]}}])],
    "functionary": [case("json in a tag", "x<function=add>%s</function><function=now>{}</function>" % J, "x", "", [ADD, NOW])],
    "lfm2": [case("python", "<|tool_call_start|>[add(a=1, note='x\\n\"y\" \\u00e9', list=[1, \"]\"], flag=True), now()]<|tool_call_end|>ok", "ok", "", [ADD, NOW]),
             case("positional", "<|tool_call_start|>[now(1)]<|tool_call_end|>", calls=[partial("now")])],
    "plain": [case("tags are text", "<think>a</think><tool_call>", "<tool_call>", "a")],
}


def write(name, value):
    lines = ",\n".join(json.dumps(v, ensure_ascii=False) for v in value)
    (HERE / name).write_text("[\n%s\n]\n" % lines, encoding="utf-8")


write("templates.json", [render(t) for t in TEMPLATES])
write("parsers.json", [{"family": name, "tools": TOOLS, "cases": cases} for name, cases in FAMILIES.items()])
