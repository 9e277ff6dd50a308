import type { Health, Readiness } from "../contract/health.ts";

/** The process answers: `{"status":"ok","timestamp"}`. */
export function health(): Response {
  return Response.json({ status: "ok", timestamp: new Date().toISOString() } satisfies Health);
}

/** 200 when requests can be served; 503 and which model or store is not ready when they can't. */
export function readiness(state: Readiness): Response {
  return Response.json(state, { status: state.status === "ok" ? 200 : 503 });
}
