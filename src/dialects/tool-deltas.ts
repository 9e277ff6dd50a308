import { type Fields, fieldsOf } from "./fields.ts";

interface Call {
  /** Where it stands in the answer: the caller's `index`. */
  readonly index: number;
  /** What the server calls it; null where it says neither. */
  readonly serverIndex: number | null;
  id: string | null;
  name: string;
  type: string;
  /** Its first piece, with id and name, has been given. */
  given: boolean;
}

/**
 * The pieces of one choice's tool calls, as OpenAI writes them: each call's first piece has index,
 * id, type and name, the others only more of `arguments`. Servers leave out the index, or the id,
 * write a new id into every piece, give the name in pieces, or give arguments as an object.
 */
export class ToolDeltas {
  readonly #newId: (index: number) => string;
  readonly #calls: Call[] = [];

  /** `newId`: names a call that the server gave no id. */
  constructor(newId: (index: number) => string) {
    this.#newId = newId;
  }

  /** Whether any call has begun. */
  get any(): boolean {
    return this.#calls.length > 0;
  }

  /** The pieces to pass on for these; those of a name that may go on are held until it does not. */
  read(pieces: readonly unknown[]): Fields[] {
    const out: Fields[] = [];
    for (const item of pieces) {
      const piece = fieldsOf(item);
      if (piece !== null) this.#read(piece, out);
    }
    return out;
  }

  /** What is still held, at the choice's end. */
  flush(): Fields[] {
    const out: Fields[] = [];
    for (const call of this.#calls) if (!call.given) out.push(this.#first(call, ""));
    return out;
  }

  #read({ index: at, id: givenId, type, function: given, ...extras }: Fields, out: Fields[]): void {
    const told = fieldsOf(given) ?? {};
    const name = typeof told.name === "string" ? told.name : "";
    const id = typeof givenId === "string" && givenId !== "" ? givenId : null;
    const index = typeof at === "number" ? at : null;
    const text = argumentsText(told.arguments);
    let call = this.#find(index, id, name);
    if (call === null) {
      out.push(...this.flush());
      call = {
        index: this.#calls.length,
        serverIndex: index,
        id,
        name,
        type: "function",
        given: false,
      };
      if (typeof type === "string" && type !== "") call.type = type;
      this.#calls.push(call);
    } else if (!call.given) {
      if (name !== call.name) call.name += name;
      call.id ??= id;
    }
    if (call.given) {
      if (text !== null && text !== "") {
        out.push({ index: call.index, function: { arguments: text }, ...extras });
      } else if (Object.keys(extras).length > 0) out.push({ index: call.index, ...extras });
    } else if (given === undefined && Object.keys(extras).length > 0) {
      // OpenAI's custom tools, which have no function.
      call.given = true;
      out.push({
        index: call.index,
        id: call.id ?? this.#newId(call.index),
        type: call.type,
        ...extras,
      });
    } else if (text !== null) {
      // Where arguments are, even empty ones, the name is complete.
      out.push({ ...this.#first(call, text), ...extras });
    }
  }

  /** The call that a piece goes on with; null when it begins another one. */
  #find(index: number | null, id: string | null, name: string): Call | null {
    const byId = id === null ? undefined : this.#calls.find((call) => call.id === id);
    if (byId !== undefined) return byId;
    const call =
      index === null
        ? this.#calls.at(-1)
        : this.#calls.findLast(({ serverIndex }) => serverIndex === index);
    if (call === undefined) return null;
    // Parallel calls under one index, or under none: another id and a name begin another one. An
    // id alone does not, since some servers write a new one into every piece.
    if (id !== null && call.id !== null && name !== "") return null;
    if (index === null && name !== "" && call.given) return null;
    return call;
  }

  #first(call: Call, text: string): Fields {
    call.given = true;
    call.id ??= this.#newId(call.index);
    const { index, id, type, name } = call;
    return { index, id, type, function: { name, arguments: text } };
  }
}

/** A whole answer's calls, completed in the same way. */
export function wholeToolCalls(
  calls: readonly unknown[],
  newId: (index: number) => string,
): Fields[] {
  const whole: Fields[] = [];
  for (const item of calls) {
    const call = fieldsOf(item);
    if (call === null) continue;
    const { index: _index, id, type, ...rest } = call;
    const told = fieldsOf(call.function);
    whole.push({
      id: typeof id === "string" && id !== "" ? id : newId(whole.length),
      type: typeof type === "string" && type !== "" ? type : "function",
      ...rest,
      ...(told === null
        ? {}
        : {
            function: {
              ...told,
              name: typeof told.name === "string" ? told.name : "",
              arguments: argumentsText(told.arguments) ?? "{}",
            },
          }),
    });
  }
  return whole;
}

/** The text of arguments, which some servers give as an object; null where there are none. */
function argumentsText(value: unknown): string | null {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? null : JSON.stringify(value);
}
