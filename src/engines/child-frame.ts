import { GatewayError } from "../contract/errors.ts";
import type { FailedEvent, FromChild, ToChild, Told } from "./frame.ts";
import type { Speech } from "./kind.ts";

/** What a child process does with what it is sent. */
export interface Receiver<S extends Speech> {
  load(options: S["load"]): Promise<S["info"]>;
  /** Answers go out by `Channel.emit`; a rejection becomes the request's error. */
  ask(id: number, ask: S["ask"]): Promise<void> | void;
  /** Resolves when nothing that takes a place is done for it any more. */
  cancel(id: number): Promise<void> | void;
}

export interface Channel<S extends Speech> {
  readonly emit: (events: readonly Told<S["event"]>[]) => void;
  /** More of the model is loaded. */
  readonly progress: () => void;
}

/**
 * The way to the gateway, over Bun's IPC channel. The process ends with it: there is nothing here to
 * save, so it leaves at once and by the surest way.
 */
export function openChannel<S extends Speech>(
  receiver: (channel: Channel<S>) => Receiver<S>,
  faultOf: (error: unknown) => Fault = plainFault,
): void {
  const send = (message: FromChild<S>) => {
    process.send?.(message);
  };
  const emit = (events: readonly Told<S["event"]>[]) => send({ type: "events", events });
  const { load, ask, cancel } = receiver({ emit, progress: () => send({ type: "progress" }) });

  // Ctrl-C at a terminal, and a service manager's stop, reach every process of the group. The gateway
  // alone decides when this one ends: running answers are finished first.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => undefined);
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

  process.on("message", (message: ToChild<S>) => {
    switch (message.type) {
      case "ping":
        return send({ type: "pong" });
      case "cancel": {
        const { id } = message;
        const settled = () => send({ type: "settled", id });
        (async () => cancel(id))().then(settled, (error: unknown) => {
          console.error(error);
          settled();
        });
        return;
      }
      case "load":
        load(message.options).then(
          (info) => send({ type: "ready", info }),
          (error: unknown) => {
            console.error(error);
            const text = error instanceof Error ? error.message : String(error);
            send({ type: "failed", message: text });
          },
        );
        return;
      case "ask": {
        const { id } = message;
        (async () => ask(id, message.ask))().catch((error: unknown) => {
          const failed: FailedEvent = { type: "error", id, ...faultOf(error) };
          emit([failed]);
        });
      }
    }
  });
}

type Fault = Omit<FailedEvent, "type" | "id">;

/** Our own words are the caller's to hear; of anything else the log has the reason. */
export function plainFault(error: unknown): Fault {
  if (error instanceof GatewayError) {
    const { kind, message, param } = error;
    return { kind, message, param };
  }
  console.error(error);
  return {
    kind: "upstream_error",
    message: "The model's engine failed on this request.",
    param: null,
  };
}

/** One loaded model. */
export interface Served<S extends Speech> {
  readonly info: S["info"];
  /**
   * Does one request; requests run side by side unless it makes them wait. `tell` sends an event
   * before the last, which is what it resolves with. It stops soon after `signal` aborts: what it
   * says or throws then is nobody's. It settles when what it takes is free again:
   * its place is given to the next one then.
   */
  run(ask: S["ask"], signal: AbortSignal, tell: (event: S["event"]) => void): Promise<S["event"]>;
}

/** The whole of a child process but for its engine: `serve<Speech>({ load })` is all its entry file has to say. */
export function serve<S extends Speech>({
  load,
}: {
  /** Rejects when the model can't be loaded. `progress` keeps a long load from being given up. */
  readonly load: (options: S["load"], progress: () => void) => Promise<Served<S>>;
}): void {
  let served: Served<S> | null = null;
  const running = new Map<
    number,
    { readonly abort: AbortController; readonly ended: Promise<void> }
  >();
  openChannel<S>(({ emit, progress }) => ({
    load: async (options) => {
      served = await load(options, progress);
      return served.info;
    },
    ask: async (id, ask) => {
      if (served === null) throw new Error("asked before the model was loaded");
      const abort = new AbortController();
      const { promise: ended, resolve: end } = Promise.withResolvers<void>();
      running.set(id, { abort, ended });
      const tell = (event: S["event"]) => {
        if (!abort.signal.aborted) emit([{ ...event, id }]);
      };
      try {
        tell(await served.run(ask, abort.signal, tell));
      } catch (error) {
        if (!abort.signal.aborted) throw error;
      } finally {
        running.delete(id);
        end();
      }
    },
    cancel: (id) => {
      const request = running.get(id);
      request?.abort.abort();
      return request?.ended;
    },
  }));
}
