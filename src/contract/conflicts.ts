import type { z } from "zod";

interface Generation {
  readonly stream?: boolean | null | undefined;
  readonly stream_options?: object | null | undefined;
  readonly [field: string]: unknown;
}

const GUIDES = ["guided_json", "guided_regex", "guided_choice", "guided_grammar"] as const;

/** What no single field can tell. Names the field to blame and what to do, or returns null. */
export function generationConflict(request: Generation): Conflict | null {
  if (request.stream_options != null && request.stream !== true) {
    return {
      param: "stream_options",
      message: "The 'stream_options' parameter is only allowed when 'stream' is true.",
    };
  }
  let guide: string | null = null;
  for (const name of GUIDES) {
    if (request[name] == null) continue;
    if (guide !== null) {
      return {
        param: name,
        message: `At most one of ${GUIDES.join(", ")} may be sent; got '${guide}' and '${name}'.`,
      };
    }
    guide = name;
  }
  return null;
}

export interface Conflict {
  readonly param: string;
  readonly message: string;
}

/** Turns a function that finds a conflict between fields into a check for a zod schema. */
export function without<T>(find: (request: T) => Conflict | null): z.core.CheckFn<T> {
  return (context) => {
    const conflict = find(context.value);
    if (conflict === null) return;
    context.issues.push({
      code: "custom",
      input: context.value,
      path: [conflict.param],
      message: conflict.message,
    });
  };
}
