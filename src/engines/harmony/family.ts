/** A small chat template in the shape of gpt-oss', for tests. */
export const GPT_OSS = `{{- "<|start|>system<|message|>Reasoning: " + (reasoning_effort or "medium") + "<|end|>" }}
{%- if tools %}
{{- "<|start|>developer<|message|># Tools\\n" }}
{%- for tool in tools %}{{- "type " + tool.function.name + " = () => any;\\n" }}{% endfor %}
{{- "<|end|>" }}
{%- endif %}
{%- set last = namespace(name=none) %}
{%- for m in messages %}
{%- if m.role == "assistant" %}
{%- if "tool_calls" in m %}
{%- set call = m.tool_calls[0].function %}
{%- if m.content and m.thinking %}{{ raise_exception("Cannot pass both content and thinking") }}{% endif %}
{%- if m.content or m.thinking %}
{{- "<|start|>assistant<|channel|>analysis<|message|>" + (m.content or m.thinking) + "<|end|>" }}
{%- endif %}
{{- "<|start|>assistant to=functions." + call.name + "<|channel|>commentary json<|message|>" }}
{{- call.arguments | tojson + "<|call|>" }}
{%- set last.name = call.name %}
{%- elif loop.last and not add_generation_prompt %}
{{- "<|start|>assistant<|channel|>final<|message|>" + m.content + "<|return|>" }}
{%- else %}
{{- "<|start|>assistant<|channel|>final<|message|>" + m.content + "<|end|>" }}
{%- endif %}
{%- elif m.role == "tool" %}
{%- if last.name is none %}{{ raise_exception("no previous call") }}{% endif %}
{{- "<|start|>functions." + last.name + " to=assistant<|channel|>commentary<|message|>" + m.content | tojson + "<|end|>" }}
{%- else %}
{{- "<|start|>" + m.role + "<|message|>" + m.content + "<|end|>" }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- "<|start|>assistant" }}{% endif %}`;
