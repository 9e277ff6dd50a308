import { FreeText } from "./free-text.ts";
import { either, lazy, NOTHING, type Node, sequence } from "./node.ts";
import type { TriggeredSpec } from "./spec.ts";
import { literal, oneOf } from "./words.ts";

/** Free text, or none, in which triggers begin what is guided. @param guides one for each trigger */
export function triggeredNode(spec: TriggeredSpec, guides: readonly Node[]): Node {
  return lazy(() => new Rounds(spec, guides).after(0), guides, []);
}

class Rounds {
  readonly #spec: TriggeredSpec;
  readonly #guides: readonly Node[];
  readonly #after: Node[] = [];

  constructor(spec: TriggeredSpec, guides: readonly Node[]) {
    this.#spec = spec;
    this.#guides = guides;
  }

  /** What may follow when so many triggers have come. */
  after(count: number): Node {
    const { least, most } = this.#spec;
    // As many as are needed, and no bound above: from there on all are alike.
    const index = most === null ? Math.min(count, Math.max(1, least)) : count;
    this.#after[index] ??= lazy(() => this.#open(index), [], []);
    return this.#after[index];
  }

  #open(count: number): Node {
    const { triggers, freeText, least, most, separator } = this.#spec;
    const mayEnd = count >= least ? NOTHING : null;
    const more = most === null || count < most;
    const bodies = triggers.map(({ end }, index) =>
      sequence(
        this.#guides[index] ?? NOTHING,
        literal(end),
        lazy(() => this.after(count + 1), [], []),
      ),
    );
    const begins = triggers.map(({ begin }) => begin);
    const body = (word: number): Node => bodies[word] ?? NOTHING;
    if (freeText) return new FreeText(begins, more ? body : null, mayEnd);
    const next = sequence(literal(count === 0 ? "" : separator), oneOf(begins, body));
    if (!more) return NOTHING;
    return mayEnd === null ? next : either(NOTHING, next);
  }
}
