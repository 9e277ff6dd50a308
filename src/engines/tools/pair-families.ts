/** Small chat templates in the shapes of real families that write a call's arguments as text, for tests. */

const LISTS = `{%- if tools %}{{- '<|im_start|>system\\n# Tools' }}
{%- for tool in tools %}{{- '\\n<function><name>' ~ tool.function.name ~ '</name></function>' }}{% endfor %}
{{- '<|im_end|>\\n' }}{% endif %}`;

/** Qwen3-Coder, Qwen3.5, Nemotron 3: each mark on a line of its own. */
export const QWEN_CODER = `${LISTS}
{%- for m in messages %}
{%- if m.role == 'assistant' and m.tool_calls is defined %}
{{- '<|im_start|>assistant' }}
{%- if m.content %}{{- '\\n' + m.content + '\\n' }}{% endif %}
{%- for call in m.tool_calls %}
{%- set call = call.function %}
{{- '\\n<tool_call>\\n<function=' + call.name + '>\\n' }}
{%- for key, value in call.arguments|items %}
{{- '<parameter=' + key + '>\\n' }}
{%- set value = value | tojson | safe if value is mapping or (value is sequence and value is not string) else value | string %}
{{- value }}
{{- '\\n</parameter>\\n' }}
{%- endfor %}
{{- '</function>\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif m.role == 'tool' %}
{{- '<|im_start|>user\\n<tool_response>\\n' + m.content + '\\n</tool_response>\\n<|im_end|>\\n' }}
{%- else %}
{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{% endif %}`;

/** GLM 4.5 and 4.6: thinking of nothing in front of calls, a key and its value each between tags. */
export const GLM = `[gMASK]<sop>
{%- if tools -%}
<|system|>
# Tools
{% for tool in tools %}
{{ tool | tojson(ensure_ascii=False) }}
{% endfor %}
{%- endif -%}
{% for m in messages %}
{%- if m.role == 'user' -%}<|user|>
{{ m.content }}
{%- elif m.role == 'assistant' -%}
<|assistant|>
{{ '\\n<think></think>' }}
{%- if m.content -%}
{{ '\\n' + m.content }}
{%- endif -%}
{% if m.tool_calls %}
{% for tc in m.tool_calls %}
{%- set tc = tc.function %}
{{ '\\n<tool_call>' + tc.name }}
{% for k, v in tc.arguments.items() %}
<arg_key>{{ k }}</arg_key>
<arg_value>{{ v | tojson(ensure_ascii=False) if v is not string else v }}</arg_value>
{% endfor %}
</tool_call>{% endfor %}
{% endif %}
{%- elif m.role == 'tool' -%}
<|observation|>
<tool_response>
{{ m.content }}
</tool_response>
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}`;

/** MiniMax M2: all calls within one tag, and thinking that the prompt opens. */
export const MINIMAX = `{{- ']~!b[' ~ ']~b]system' ~ '\\n' }}
{%- for tool in tools or [] %}{{- '<tool>' ~ (tool.function | tojson) ~ '</tool>\\n' }}{% endfor %}
{{- '[e~[\\n' }}
{%- for m in messages -%}
{%- if m.role == 'assistant' -%}
{{- ']~b]ai' ~ '\\n' ~ m.content }}
{%- if m.tool_calls -%}
{{- '\\n<minimax:tool_call>\\n' }}
{%- for call in m.tool_calls -%}
{{- '<invoke name="' + call.function.name + '">\\n' }}
{%- for k, v in call.function.arguments | items %}
{{- '<parameter name="' + k + '">' }}
{{- v | tojson | string if v is not string else v }}
{{- '</parameter>' }}
{% endfor %}
{{- '</invoke>\\n' }}
{%- endfor -%}
{{- '</minimax:tool_call>' }}
{%- endif -%}
{{- '[e~[' ~ '\\n' }}
{%- elif m.role == 'tool' -%}
{{- ']~b]tool\\n<response>' ~ m.content ~ '</response>[e~[\\n' }}
{%- else -%}
{{- ']~b]' ~ m.role ~ '\\n' ~ m.content ~ '[e~[' ~ '\\n' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- ']~b]ai' ~ '\\n' ~ '<think>' ~ '\\n' }}{%- endif -%}`;

/** Seed-OSS: Qwen's tags with a value on the line of its mark. */
export const SEED = `{%- for tool in tools or [] %}{{ 'Function:\\ndef ' + tool.function.name + '():\\n' }}{% endfor %}
{%- for m in messages %}
{%- if m.role == 'assistant' and m.tool_calls %}
{{- '<seed:bos>assistant' }}
{%- for call in m.tool_calls %}
{{- '\\n<seed:tool_call>\\n<function=' + call.function.name + '>\\n' }}
{%- for name, value in call.function.arguments | items %}
{{- '<parameter=' + name + '>' }}
{{- (value if value is string else value | string) + '</parameter>\\n' }}
{%- endfor %}
{{- '</function>\\n</seed:tool_call>' }}
{%- endfor %}
{{- '<seed:eos>' }}
{%- else %}
{{- '<seed:bos>' + m.role + '\\n' + m.content + '<seed:eos>' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<seed:bos>assistant\\n<seed:think>' }}{% endif %}`;
