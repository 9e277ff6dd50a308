import type { ChatRequest } from "../../contract/chat.ts";

/** Whether a caller wants no thinking in the answer: OpenRouter's `include_reasoning` and `reasoning.exclude`. */
export function hidesReasoning(request: ChatRequest): boolean {
  return request.include_reasoning === false || fieldOf(request.reasoning, "exclude") === true;
}

/** The parameters by which a caller says that nothing is to be thought; empty where none says so. */
export function refusesThinking({
  reasoning,
  reasoning_effort: effort,
  chat_template_kwargs: told,
}: ChatRequest): string[] {
  const isTold = told?.enable_thinking === false || told?.thinking === false;
  const enabled = fieldOf(reasoning, "enabled");
  const off =
    enabled === false || (enabled === undefined && fieldOf(reasoning, "effort") === "none");
  return [
    ...(off ? ["reasoning"] : []),
    ...(effort === "none" ? ["reasoning_effort"] : []),
    ...(isTold ? ["chat_template_kwargs"] : []),
  ];
}

/**
 * What a template is told of how much to think, where it asks: `reasoning_effort`, and OpenRouter's
 * `reasoning` with `effort` or `enabled`. `known`: the variables that it reads. `honoured` are the
 * names of the parameters that were passed on.
 */
export function reasoningVariables(
  request: ChatRequest,
  known: readonly string[],
): { readonly variables: { readonly [name: string]: unknown }; readonly honoured: string[] } {
  const variables: { [name: string]: unknown } = {};
  const honoured = new Set<string>();
  const set = (name: string, value: unknown, by: string): void => {
    if (!known.includes(name)) return;
    variables[name] = value;
    honoured.add(by);
  };
  const tell = (effort: unknown, enabled: unknown, by: string): void => {
    const thinks =
      typeof enabled === "boolean" ? enabled : typeof effort === "string" && effort !== "none";
    if (effort === undefined && enabled === undefined) return;
    set("enable_thinking", thinks, by);
    set("thinking", thinks, by);
    if (typeof effort === "string" && effort !== "none") set("reasoning_effort", effort, by);
  };
  const { reasoning, reasoning_effort: effort } = request;
  tell(fieldOf(reasoning, "effort"), fieldOf(reasoning, "enabled"), "reasoning");
  tell(effort ?? undefined, undefined, "reasoning_effort");
  return { variables, honoured: [...honoured] };
}

/** The variables by which templates are told whether to think. */
export const REASONING_VARIABLES = ["enable_thinking", "thinking", "reasoning_effort"] as const;

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
