import { GatewayError } from "../../contract/errors.ts";
import type { Operation, StreamEvent, Target } from "../../types.ts";
import type { Call } from "../call.ts";
import type { Gateway } from "../gateway.ts";
import { type Attempt, type Events, endedEarly } from "../routing/attempt.ts";
import { type Errand, reach } from "../routing/reach.ts";
import { afterFailure, type Retries } from "../routing/retry.ts";
import { type Request, targetsOf } from "../routing/route.ts";
import { canContinue, restOf, sentTokensOf, type Ways } from "./recovery.ts";
import { Mismatch, RestartSeam } from "./restart-seam.ts";
import { ContinueSeam, type Seam } from "./seam.ts";
import { deltaOf, reasoningOf, type Transcript } from "./transcript.ts";

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
  const [first] = broken.transcript.choices.values();
  const text = first?.text ?? "";
  const characters = text.length + (first?.reasoning.length ?? 0);
  const sent = sentTokensOf(call.meter.completionTokens, characters);
  try {
    const targets = targetsOf(broken.gateway, dead.target.model, broken.request);
    const source = ways.restart
      ? await restart(broken, restarting(broken, ways, targets), sent)
      : null;
    if (source !== null) return source;
    broken.retries.made = 0;
    if (!ways.continue) throw failure;
    return await goOn(broken, targets, text, sent);
  } catch (error) {
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

/** From now on its target answers. Until then the call is what the dead one made of it. */
function taken(call: Call, source: Source, how: "restart" | "continue", sent: number): Source {
  const { meter, target } = source.attempt;
  if (how === "restart") call.meter.restart(meter, sent);
  else call.meter.resume(meter, sent);
  call.target = target;
  return source;
}

function errandOf<O extends Operation>(
  { gateway, request }: Broken<O>,
  how: "restart" | "continue",
): Errand<O> {
  return {
    operation: request.operation,
    input: request.input,
    how,
    prefill: () => null,
    attempts: gateway.routing.rules.attempts,
    count: () => undefined,
  };
}

/** The answer made anew and read as far as it was sent; null when no target came to the same. */
async function restart<O extends Operation>(
  broken: Broken<O>,
  targets: readonly Target[],
  sent: number,
): Promise<Source | null> {
  const { gateway, call, retries } = broken;
  const errand = errandOf(broken, "restart");
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
      const first = await readPast(seam, started, attempt);
      return taken(call, { attempt, first, events, seam }, "restart", sent);
    } catch (error) {
      if (error instanceof Mismatch) {
        giveUp(started, "came to another answer");
        left = left.filter(({ id }) => id !== attempt.target.id);
        continue;
      }
      events.return?.()?.catch(() => undefined);
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
    ...errandOf(broken, "continue"),
    input: { ...request.input, ...rest.input },
    prefill: (target) => rest.prefill(target).text,
  };
  let left = able;
  for (;;) {
    const started = await reach(gateway, call, errand, left, retries);
    if (started.kind !== "stream") throw broken.failure;
    const { attempt, events } = started;
    if (started.first.some(thinks)) {
      // What follows would be another answer; or its server takes the whole rest for thoughts.
      giveUp(started, "thought anew instead of going on");
      left = left.filter(({ id }) => id !== attempt.target.id);
      continue;
    }
    const seam = new ContinueSeam(rest.prefill(attempt.target).space);
    const first = started.first.map((event) => seam.take(event)).filter((event) => event !== null);
    return taken(call, { attempt, first, events, seam }, "continue", sent);
  }
}

function thinks({ choices }: StreamEvent): boolean {
  return choices.some((choice) => reasoningOf(deltaOf(choice)) !== "");
}

/** It answers, but not what was asked for here. */
function giveUp({ attempt, events }: Pick<Source, "attempt" | "events">, did: string): void {
  events.return?.()?.catch(() => undefined);
  attempt.abandon(new GatewayError("upstream_error", `'${attempt.target.provider}' ${did}.`));
}

/** What a target's failure means for its being asked again. */
export function remember(retries: Retries, { id }: Target, failure: GatewayError): void {
  const now = performance.now();
  retries.tried.set(id, afterFailure(retries.tried.get(id), failure, now, Math.random()));
}
