/** The ranges of docs/sampling.md, by what the contract takes. */
import { ChatRequest } from "../src/contract/chat.ts";
import { CompletionRequest } from "../src/contract/completions.ts";
import { expected } from "../src/contract/expected.ts";
import { extendedSampling, standardSampling } from "../src/contract/sampling.ts";

/** Those that are in no group of parameters of the contract, by what they are called here. */
const OTHERS = {
  "`max_tokens`, `max_completion_tokens` of chats": ChatRequest.shape.max_tokens,
  "`max_tokens` of completions": CompletionRequest.shape.max_tokens,
  "`top_logprobs` of chats": ChatRequest.shape.top_logprobs,
  "`logprobs` of completions": CompletionRequest.shape.logprobs,
};

/** A table of what is taken, with the parameters that take it. */
export function samplingBounds(): string {
  const names = new Map<string, string[]>();
  const all = Object.entries({ ...standardSampling, ...extendedSampling }).map(
    ([name, schema]) => [`\`${name}\``, schema] as const,
  );
  for (const [name, schema] of [...all, ...Object.entries(OTHERS)]) {
    const words = expected(schema);
    if (/\d/.test(words)) names.set(words, [...(names.get(words) ?? []), name]);
  }
  const rows = [...names].map(([words, of]) => `| ${words} | ${of.join(", ")} |`);
  return ["| takes | |", "| --- | --- |", ...rows].join("\n");
}
