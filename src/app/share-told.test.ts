import { expect, test } from "bun:test";
import { createLog } from "../lib/log.ts";
import { shareTold } from "./share-told.ts";

test("the beginning and the end of a share are one line each, however often one looks", () => {
  const lines: string[] = [];
  const look = shareTold(createLog((line) => lines.push(line), true));
  const state = { ok: false, leases: 0, lost: 0 };
  const detail = "Redis: gone; each limit is divided by 4 for 10 s";
  for (const mode of ["shared", "waiting", "share", "share", "shared", "shared", "share"] as const)
    look({ ...state, mode, detail: mode === "shared" ? null : detail });
  look({ ...state, mode: "waiting", detail });
  expect(lines).toEqual([
    `warn: limits are kept as this gateway's share from now on detail="${detail}"\n`,
    "limits are no longer kept as this gateway's share mode=shared\n",
    `warn: limits are kept as this gateway's share from now on detail="${detail}"\n`,
    `limits are no longer kept as this gateway's share mode=waiting detail="${detail}"\n`,
  ]);
});
