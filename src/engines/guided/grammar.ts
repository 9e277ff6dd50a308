import { FreeText } from "./free-text.ts";
import { gbnfNode } from "./gbnf.ts";
import { ANY_OBJECT } from "./json.ts";
import { either, NOTHING, type Node, sequence } from "./node.ts";
import { pairsNode } from "./pairs.ts";
import { regexDfa } from "./regex-dfa.ts";
import { schemaNode } from "./schema.ts";
import type { GuideSpec } from "./spec.ts";
import { SpecError } from "./spec-error.ts";
import { ANY_LENGTH, Text } from "./text.ts";
import { triggeredNode } from "./triggered.ts";
import { literal, oneOf } from "./words.ts";
import type { Work } from "./work.ts";

const MOST_CHOICES = 10_000;
const MOST_CHOICE_TEXT = 256 * 1024;

/** The texts that a spec asks for. @param work shared by all that is made for one request @throws SpecError */
export function grammarOf(spec: GuideSpec, work: Work): Node {
  const inner = (part: GuideSpec): Node => grammarOf(part, work);
  switch (spec.kind) {
    case "json_schema":
      return schemaNode(spec.schema, work);
    case "json_object":
      return ANY_OBJECT;
    case "regex":
      return new Text(regexDfa(spec.pattern, "whole", work), ANY_LENGTH, false);
    case "choice":
      return choiceNode(spec.choices, work);
    case "grammar":
      return gbnfNode(spec.source, work);
    case "literal":
      return literal(spec.text);
    case "sequence":
      return sequence(...spec.parts.map(inner));
    case "either":
      return either(...spec.parts.map(inner));
    case "text":
      return new FreeText(spec.without, null, NOTHING);
    case "pairs":
      return pairsNode(spec.schema, spec, work);
    case "triggered":
      return triggeredNode(
        spec,
        spec.triggers.map(({ guide }) => inner(guide)),
      );
  }
}

function choiceNode(choices: readonly string[], work: Work): Node {
  if (choices.length > MOST_CHOICES)
    throw new SpecError(`There are more than ${MOST_CHOICES} choices.`);
  const text = choices.reduce((sum, choice) => sum + choice.length, 0);
  if (text > MOST_CHOICE_TEXT)
    throw new SpecError(`The choices have more than ${MOST_CHOICE_TEXT} characters together.`);
  work.spend(choices.length);
  return oneOf(choices);
}
