import { expect, test } from "bun:test";
import { END, madeUpVocabulary } from "../../../test/guided/made-up-vocabulary.ts";
import { randomSchema } from "../../../test/guided/random-schema.ts";
import { validatorOf } from "../../../test/guided/validate.ts";
import { walk } from "../../../test/guided/walk.ts";
import { Seeded } from "../../../test/seeded.ts";
import { createGuides } from "./guide.ts";
import { vocabularyOf } from "./token-trie.ts";

const tokens = madeUpVocabulary();
const guides = createGuides(vocabularyOf(tokens, [END]));
const ends = new Set([END]);
const MOST_TOKENS = 1500;

for (const [open, name, cutAtMost] of [
  [false, "bounded", 0.02],
  [true, "open", 0.2],
] as const) {
  test(`whatever tokens are taken, an answer that ends fits its schema: 120 ${name} schemas, 2 answers each`, () => {
    let cut = 0;
    const faults: string[] = [];
    for (let seed = 1; seed <= 120; seed++) {
      const random = new Seeded(seed);
      const schema = randomSchema(random, open);
      const faultOf = validatorOf(schema);
      for (let again = 0; again < 2; again++) {
        const guide = guides.compile({ kind: "json_schema", schema });
        const { text, ended } = walk(guide, tokens, ends, random, MOST_TOKENS);
        const fault = ended ? faultOf(text) : null;
        if (!ended) cut += 1;
        if (fault !== null)
          faults.push(`seed ${seed}: ${fault}\n${JSON.stringify(schema)}\n${text}`);
      }
    }
    expect(faults).toEqual([]);
    expect(cut / 240).toBeLessThanOrEqual(cutAtMost);
  }, 180_000);
}
