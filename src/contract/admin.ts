import { z } from "zod";
import type { Contract } from "./operations.ts";

/** What operators ask of the process itself. */

const Changes = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
});

export const ReloadReport = z.object({
  status: z.literal("applied"),
  providers: Changes.describe("By id."),
  models: Changes.describe("Embedded models, by id."),
  need_restart: z
    .array(z.string())
    .describe("Options that differ from those in use and can't change while the process runs."),
  warnings: z.array(z.string()),
});
export type ReloadReport = z.infer<typeof ReloadReport>;

export const ADMIN = {
  reload: {
    operation: "reload",
    method: "POST",
    path: "/admin/v1/reload",
    request: null,
    response: ReloadReport,
    auth: "admin",
    meter: "none",
    summary:
      "Read the config and the files it names again; a bad one changes nothing, and the error says which line.",
  },
  metrics: {
    operation: "metrics",
    method: "GET",
    path: "/metrics",
    request: null,
    response: z.string(),
    mediaType: "text/plain",
    auth: "admin",
    meter: "none",
    summary:
      "Metrics in Prometheus's text format; without a key where the config makes them public.",
  },
} as const satisfies Record<string, Contract>;
