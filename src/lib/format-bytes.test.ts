import { expect, test } from "bun:test";
import { formatBytes } from "./format-bytes.ts";

test("bytes are told in units of 1000, never as 1000 of one", () => {
  expect([0, 999, 1_000, 1_117_320_736, 999_999, 322_591_712].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "1.1 GB",
    "1.0 MB",
    "323 MB",
  ]);
});
