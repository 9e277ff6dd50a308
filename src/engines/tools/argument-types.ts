import { pairTypes } from "../guided/pairs.ts";
import { argumentsSchema } from "./guide.ts";
import type { TypesOf } from "./pair-text.ts";
import type { ToolUse } from "./use.ts";

/** How the arguments of each tool are read where a model writes them as text, from their schemas. */
export function argumentTypes({ tools }: ToolUse): TypesOf {
  return (name) => {
    const tool = tools.find((each) => each.name === name);
    return tool === undefined ? new Map() : pairTypes(argumentsSchema(tool));
  };
}
