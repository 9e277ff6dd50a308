import type { GuideSpec } from "../guided/spec.ts";
import type { Thinking } from "./markers.ts";

/** Between thinking and a form that follows it, as templates write it. */
export const GAP = "\n\n";

/**
 * A form that follows an answer's thinking: that is any text up to its closing mark.
 * @param at "inside": the prompt has opened it; "before": the answer may
 * @param without what does not come in it besides
 */
export function afterThinking(
  form: GuideSpec,
  { open, close }: Thinking,
  at: "inside" | "before",
  without: readonly string[],
): GuideSpec {
  const literal = (text: string): GuideSpec => ({ kind: "literal", text });
  const sequence = (...parts: GuideSpec[]): GuideSpec => ({ kind: "sequence", parts });
  const thoughts = sequence(
    { kind: "text", without: [close, ...without] },
    literal(`${close}${GAP}`),
  );
  if (at === "inside") return sequence(thoughts, form);
  const some = sequence(literal(open), thoughts);
  return sequence({ kind: "either", parts: [literal(""), some] }, form);
}

const OF_JSON = /^["{[\d\-tfn\s]/;

/**
 * Whether a form might begin with the mark that opens thinking, so that nobody could tell which of both
 * it is: false where that is plain to see, else its guide says.
 */
export function mightOpen(form: GuideSpec, open: string): boolean {
  switch (form.kind) {
    case "literal":
      return open.startsWith(form.text) || form.text.startsWith(open);
    case "choice":
      return form.choices.some((choice) => choice.startsWith(open));
    case "json_schema":
    case "json_object":
      return OF_JSON.test(open);
    case "either":
      return form.parts.some((part) => mightOpen(part, open));
    case "sequence": {
      const [first] = form.parts;
      return first === undefined || mightOpen(first, open);
    }
    default:
      return true;
  }
}
