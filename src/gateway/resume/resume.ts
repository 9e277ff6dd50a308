import { GatewayError } from "../../contract/errors.ts";
import type { Meter, Operation, StreamEvent, Target } from "../../types.ts";
import type { Call } from "../call.ts";
import type { Gateway } from "../gateway.ts";
import { type Attempt, type Events, endedEarly } from "../routing/attempt.ts";
import { type Errand, reach } from "../routing/reach.ts";
import { afterFailure, type Retries } from "../routing/retry.ts";
import { type Request, targetsOf } from "../routing/route.ts";
import { canContinue, restOf, sentTokensOf, type Ways } from "./recovery.ts";
import { Mismatch, RestartSeam } from "./restart-seam.ts";
import { ContinueSeam, type Seam } from "./seam.ts";
import type { Transcript } from "./transcript.ts";

/** Where an answer's events come from. */
export interface Source {
  readonly attempt: Attempt;
  readonly first: readonly StreamEvent[];
  readonly events: Events;
  /** What later events go through; null for an answer's first source. */
  readonly seam: Seam | null;
}

/** An answer that broke off: what it was, what was sent of it, and what is known of the targets. */
export interface Broken<O extends Operation> {
  readonly gateway: Gateway;
  readonly call: Call;
  readonly request: Request<O>;
  readonly transcript: Transcript;
  /** The attempt that died. */
  readonly dead: Attempt;
  readonly failure: GatewayError;
  readonly retries: Retries;
}

/**
 * Another source for an answer that broke off: a target that makes it anew and comes to the same, else
 * one that goes on from its text. `"length"` when there was nothing left to say but that its limit was
 * reached. Its first events are joined to what was sent.
 * @throws the failure, when nobody could
 */
export async function resume<O extends Operation>(
  broken: Broken<O>,
  ways: Ways,
): Promise<Source | "length"> {
  const { call, dead, failure } = broken;
  const used = snapshot(call.meter);
  const [first] = broken.transcript.choices.values();
  const text = first?.text ?? "";
  const characters = text.length + (first?.reasoning.length ?? 0);
  const sent = sentTokensOf(used.completionTokens, characters);
  try {
    const targets = targetsOf(broken.gateway, dead.target.model, broken.request);
    const source = ways.restart
      ? await restart(broken, restarting(broken, ways, targets), sent)
      : null;
    if (source !== null) return source;
    broken.retries.made = 0;
    if (!ways.continue) throw failure;
    const rest = await goOn(broken, targets, text, sent);
    if (rest === "length") asBefore(broken, used);
    return rest;
  } catch (error) {
    asBefore(broken, used);
    throw call.gone ?? (error instanceof GatewayError ? failure : error);
  }
}

/** The dead one is asked to make it anew only where nobody else could go on with what it made. */
function restarting<O extends Operation>(
  { dead, request }: Broken<O>,
  ways: Ways,
  targets: readonly Target[],
): readonly Target[] {
  const others = targets.filter(({ id }) => id !== dead.target.id);
  const { operation, input } = request;
  const able = ways.continue && others.some((target) => canContinue(target, operation, input));
  return able ? others : targets;
}

/** What the caller has got was the dead one's, and so is the reason. */
function asBefore<O extends Operation>({ call, dead }: Broken<O>, used: Meter): void {
  call.meter.begin(used);
  call.target = dead.target;
}

function snapshot(meter: Readonly<Meter>): Meter {
  const { promptTokens, completionTokens, cachedTokens, source } = meter;
  const { startedAt, firstTokenAt, malformedEvents } = meter;
  return {
    ...{ promptTokens, completionTokens, cachedTokens, source },
    ...{ startedAt, firstTokenAt, malformedEvents },
    // What it was charged is told at the end that did not come.
    providerCost: null,
  };
}

function errandOf<O extends Operation>(
  { gateway, call, request }: Broken<O>,
  how: "restart" | "continue",
  sent: number,
): Errand<O> {
  return {
    operation: request.operation,
    input: request.input,
    how,
    prefill: () => null,
    attempts: gateway.routing.rules.attempts,
    count: (meter) =>
      how === "restart" ? call.meter.restart(meter, sent) : call.meter.resume(meter, sent),
  };
}

/** The answer made anew and read as far as it was sent; null when no target came to the same. */
async function restart<O extends Operation>(
  broken: Broken<O>,
  targets: readonly Target[],
  sent: number,
): Promise<Source | null> {
  const { gateway, call, retries } = broken;
  const errand = errandOf(broken, "restart", sent);
  let left = targets;
  while (left.length > 0) {
    const started = await reach(gateway, call, errand, left, retries).catch((error: unknown) => {
      if (call.gone !== null || !(error instanceof GatewayError)) throw error;
      return null;
    });
    if (started === null || started.kind !== "stream") return null;
    const { attempt, events } = started;
    try {
      const seam = new RestartSeam(broken.transcript);
      return { attempt, first: await readPast(seam, started, attempt), events, seam };
    } catch (error) {
      events.return?.()?.catch(() => undefined);
      if (error instanceof Mismatch) {
        const { id, provider } = attempt.target;
        attempt.abandon(
          new GatewayError("upstream_error", `'${provider}' came to another answer.`),
        );
        left = left.filter((target) => target.id !== id);
        continue;
      }
      attempt.end(error);
      if (call.gone !== null || !(error instanceof GatewayError)) throw error;
      remember(retries, attempt.target, error);
    }
  }
  return null;
}

/** The first events that go beyond what was sent. @throws Mismatch, GatewayError */
async function readPast(
  seam: RestartSeam,
  { first, events }: { first: readonly StreamEvent[]; events: Events },
  attempt: Attempt,
): Promise<readonly StreamEvent[]> {
  const fresh: StreamEvent[] = [];
  let group = first;
  for (;;) {
    for (const event of group) {
      const rest = seam.take(event);
      if (rest !== null) fresh.push(rest);
    }
    // Of answers side by side one may go on before all of another has come again.
    if (fresh.length > 0 && seam.passed) return fresh;
    const step = await events.next();
    if (step.done === true) throw endedEarly(attempt.target);
    group = step.value;
  }
}

/** The rest of the answer, by a target that declares that it can go on with it. */
async function goOn<O extends Operation>(
  broken: Broken<O>,
  targets: readonly Target[],
  text: string,
  sent: number,
): Promise<Source | "length"> {
  const { gateway, call, request, retries } = broken;
  const able = targets.filter((target) => canContinue(target, request.operation, request.input));
  if (able.length === 0) throw broken.failure;
  const rest = restOf(request.operation, request.input, text, sent);
  if (rest === null) return "length";
  const errand: Errand<O> = {
    ...errandOf(broken, "continue", sent),
    input: { ...request.input, ...rest.input },
    prefill: (target) => rest.prefill(target).text,
  };
  const started = await reach(gateway, call, errand, able, retries);
  if (started.kind !== "stream") throw broken.failure;
  const seam = new ContinueSeam(rest.prefill(started.attempt.target).space);
  const first = started.first.map((event) => seam.take(event)).filter((event) => event !== null);
  return { attempt: started.attempt, first, events: started.events, seam };
}

/** What a target's failure means for its being asked again. */
export function remember(retries: Retries, { id }: Target, failure: GatewayError): void {
  const now = performance.now();
  retries.tried.set(id, afterFailure(retries.tried.get(id), failure, now, Math.random()));
}
