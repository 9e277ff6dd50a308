import { z } from "zod";
import { size } from "../lib/units.ts";

/** `media.internal`, `10.0.0.5:9000`, `[fd00::5]`; without a port it means all of them. */
const hostAndPort = z
  .string()
  .regex(
    /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i,
    "expected a host or host:port, not a URL",
  )
  .transform((host) => host.toLowerCase());

/** Memory goes with them: a pixel is three to eight bytes in each process that decodes. */
const MOST_PIXELS = 100_000_000;

/** What an image in a request may be, and where it may come from. */
export const images = z
  .strictObject({
    /** Hosts whose images are fetched though they lead into this network. */
    allowHosts: z.array(hostAndPort).default([]),
    /** Of one file. */
    maxBytes: size.prefault("20MB"),
    /** Width times height of one frame. */
    maxPixels: z.int().min(1).max(MOST_PIXELS).default(40_000_000),
    /** The longer side through the shorter one. */
    maxAspect: z.number().min(1).default(200),
    maxFrames: z.int().min(1).default(1_000),
    /** Of all files of one request. */
    maxRequestBytes: size.prefault("40MB"),
    /** Of the files of all requests, while they are fetched, looked at or read. */
    maxHeldBytes: size.prefault("400MB"),
  })
  .check(({ value, issues }) => {
    const { maxBytes, maxRequestBytes, maxHeldBytes } = value;
    const under = (name: string, least: string): void => {
      const message = `expected no less than ${least}`;
      issues.push({ code: "custom", message, input: value, path: [name] });
    };
    if (maxRequestBytes < maxBytes) under("maxRequestBytes", "max_bytes");
    if (maxHeldBytes < maxRequestBytes) under("maxHeldBytes", "max_request_bytes");
  });
