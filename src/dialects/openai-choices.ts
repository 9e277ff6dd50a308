/** What servers leave out of a choice, put in. */

export type Fields = Record<string, unknown>;

/** A JSON object's fields; null for anything else. */
export function fieldsOf(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : null;
}

/** All fields but those that the gateway stamps itself, and a fingerprint only if it is one. */
export function withoutStamp(fields: Fields): Fields {
  const {
    id: _id,
    object: _object,
    created: _created,
    model: _model,
    provider: _provider,
    usage: _usage,
    system_fingerprint: fingerprint,
    ...rest
  } = fields;
  if (typeof fingerprint === "string") rest.system_fingerprint = fingerprint;
  return rest;
}

/**
 * Completes one choice of a stream in place: its index, a null finish reason, the role in a chat's
 * first piece and in no other. Returns whether it says anything.
 */
export function completeChoice(
  choice: Fields,
  index: number,
  chat: boolean,
  first: boolean,
): boolean {
  choice.index = index;
  if (typeof choice.finish_reason !== "string" || choice.finish_reason === "") {
    choice.finish_reason = null;
  }
  if (!chat) {
    if (typeof choice.text !== "string") choice.text = "";
    if (choice.logprobs === undefined) choice.logprobs = null;
    return choice.text !== "";
  }
  const delta = fieldsOf(choice.delta) ?? {};
  const { role, ...rest } = delta;
  choice.delta = first ? { role: typeof role === "string" ? role : "assistant", ...rest } : rest;
  return Object.values(rest).some((value) => value !== null && value !== "");
}

/** Completes one choice of a whole answer, as OpenAI's spec wants its keys. */
export function completeWholeChoice(choice: Fields, position: number, chat: boolean): Fields {
  const index = typeof choice.index === "number" ? choice.index : position;
  const logprobs = choice.logprobs ?? null;
  if (!chat) {
    return { ...choice, index, logprobs, text: typeof choice.text === "string" ? choice.text : "" };
  }
  const message = { role: "assistant", content: null, refusal: null, ...fieldsOf(choice.message) };
  return { ...choice, index, logprobs, message };
}
