import type { Health, Readiness } from "../contract/health.ts";

/** The process answers: `{"status":"ok","timestamp"}`. */
export function health(): Response {
  return Response.json({ status: "ok", timestamp: new Date().toISOString() } satisfies Health);
}

/**
 * 200 when requests can be served; 503 and which model or store is not ready when they can't. Details
 * may name files and providers: they are for those who may call, not for whoever can reach the port.
 */
export function readiness(state: Readiness, mayCall: boolean): Response {
  const shown = mayCall
    ? state
    : {
        ...state,
        models: state.models.map((model) => ({ ...model, detail: null })),
        providers: [],
        keys: { ...state.keys, detail: null },
        limits: { ...state.limits, detail: null },
        store: { ...state.store, detail: null },
      };
  return Response.json(shown, { status: state.status === "ok" ? 200 : 503 });
}
