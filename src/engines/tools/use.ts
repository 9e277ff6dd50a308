import type { ChatRequest } from "../../contract/chat.ts";
import { GatewayError } from "../../contract/errors.ts";

/** A function that the model may call. */
export interface FunctionTool {
  readonly name: string;
  readonly description: string | null;
  /** A JSON Schema of an object; null where nobody said: no arguments. */
  readonly parameters: { readonly [keyword: string]: unknown } | null;
  /** Where it stands in the request, for errors: `tools[0].function.parameters`. */
  readonly path: string;
}

/** What a request wants of tools. */
export interface ToolUse {
  /** All that there are, for the prompt. */
  readonly tools: readonly FunctionTool[];
  /** The names of those that may be called. */
  readonly callable: ReadonlySet<string>;
  /** An answer is a call; else it may be. */
  readonly required: boolean;
  /** An answer may have more calls than one. */
  readonly parallel: boolean;
  /** Asked by `functions`: answered by `function_call`. */
  readonly legacy: boolean;
}

/**
 * The tools of a chat that it may use; null where it has none, or may use none of them.
 * @throws GatewayError 400 that names the field: tools that are no functions, names that are there
 * twice or not at all
 */
export function toolUse(request: ChatRequest): ToolUse | null {
  return request.tools?.length ? modern(request) : legacy(request);
}

function modern({ tools = [], tool_choice: choice, parallel_tool_calls }: ChatRequest) {
  if (choice === "none") return null;
  const functions = tools.map((tool, index): FunctionTool => {
    if (tool.type === "function") return functionTool(tool.function, `tools[${index}].function`);
    throw new GatewayError(
      "invalid_request",
      "This model's engine takes no tools but functions, whose type is 'function'.",
      {
        param: `tools[${index}].type`,
        fault: "unsupported",
      },
    );
  });
  const names = namesOf(functions);
  const use = {
    tools: functions,
    callable: names,
    required: false,
    parallel: parallel_tool_calls !== false,
    legacy: false,
  };
  if (choice === undefined || choice === "auto") return use;
  if (choice === "required") return { ...use, required: true };
  if (choice.type === "allowed_tools") {
    const { mode, tools: allowed } = choice.allowed_tools;
    const callable = new Set(
      allowed.map((tool, index) =>
        declared(nameIn(tool), names, `tool_choice.allowed_tools.tools[${index}]`),
      ),
    );
    if (callable.size === 0)
      throw invalid("tool_choice.allowed_tools.tools", "There is no tool among those allowed.");
    return { ...use, callable, required: mode === "required" };
  }
  const [name, path] =
    choice.type === "function"
      ? [choice.function.name, "tool_choice.function.name"]
      : [choice.custom.name, "tool_choice.custom.name"];
  const callable = new Set([declared(name, names, path)]);
  return { ...use, callable, required: true, parallel: false };
}

function legacy({ functions = [], function_call: choice }: ChatRequest): ToolUse | null {
  if (functions.length === 0 || choice === "none") return null;
  const tools = functions.map((each, index) => functionTool(each, `functions[${index}]`));
  const names = namesOf(tools);
  const use = { tools, callable: names, required: false, parallel: false, legacy: true };
  if (choice === undefined || choice === "auto") return use;
  const callable = new Set([declared(choice.name, names, "function_call.name")]);
  return { ...use, callable, required: true };
}

function functionTool(
  told: { name: string; description?: string | undefined; parameters?: object | undefined },
  path: string,
): FunctionTool {
  const { name, description = null, parameters } = told;
  if (parameters !== undefined) refuseOthers(parameters, `${path}.parameters`);
  return {
    name,
    description,
    parameters: parameters === undefined ? null : { ...parameters },
    path: `${path}.parameters`,
  };
}

/** Arguments are an object: a call's are read by their names. */
function refuseOthers(parameters: object, path: string): void {
  const said: { type?: unknown; enum?: unknown; const?: unknown } = parameters;
  const types = said.type === undefined ? ["object"] : [said.type].flat();
  const values = Array.isArray(said.enum)
    ? said.enum
    : said.const === undefined
      ? []
      : [said.const];
  const isObject = (value: unknown): boolean =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (types.length === 1 && types[0] === "object" && values.every(isObject)) return;
  throw invalid(
    said.type === undefined ? path : `${path}.type`,
    "A function's arguments are an object: the type of its parameters is 'object'.",
  );
}

/** As many as OpenAI takes. */
const MOST_TOOLS = 128;

function namesOf(tools: readonly FunctionTool[]): ReadonlySet<string> {
  if (tools.length > MOST_TOOLS)
    throw invalid(
      tools[0]?.path.split("[")[0] ?? "tools",
      `A request may have up to ${MOST_TOOLS} tools, and these are ${tools.length}.`,
    );
  const names = new Set<string>();
  for (const { name, path } of tools) {
    if (names.has(name))
      throw invalid(path.replace(/parameters$/, "name"), `There are two tools named '${name}'.`);
    names.add(name);
  }
  return names;
}

function declared(name: string, names: ReadonlySet<string>, path: string): string {
  if (names.has(name)) return name;
  throw invalid(path, `There is no tool named '${name}'.`);
}

/** `{type: "function", function: {name}}`, or as the Responses API has it, `{type, name}`. */
function nameIn(tool: { readonly [field: string]: unknown }): string {
  const { function: inner, name } = tool;
  const found = typeof inner === "object" && inner !== null && "name" in inner ? inner.name : name;
  return typeof found === "string" ? found : "";
}

function invalid(param: string, message: string): GatewayError {
  return new GatewayError("invalid_request", message, { param });
}
