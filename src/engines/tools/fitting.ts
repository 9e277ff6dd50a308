import { fitsPairs } from "../guided/pairs.ts";
import { argumentsSchema } from "./guide.ts";
import { PROMPTED, type ToolFormat } from "./syntax.ts";
import type { ToolUse } from "./use.ts";

/**
 * The format of a model's calls, or where it can't write the arguments of one of these tools, such as
 * keys that have no name, the form of our prompt.
 */
export function fittingFormat(format: ToolFormat, use: ToolUse | null): ToolFormat {
  const { shape } = format.syntax;
  if (use === null || shape.kind !== "pairs") return format;
  const fit = use.tools.every((tool) => fitsPairs(argumentsSchema(tool), shape));
  return fit ? format : PROMPTED;
}
