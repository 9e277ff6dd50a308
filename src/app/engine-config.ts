import type { Config } from "../config/schema.ts";
import type { EngineConfig } from "../engines/index.ts";

/** How the embedded engines run, as the config says it. */
export function engineConfigOf({ engine, images }: Config): EngineConfig {
  const { keepAlive: keepAliveMs, loadTimeout: loadTimeoutMs, ...rest } = engine;
  return { ...rest, keepAliveMs, loadTimeoutMs, imagePixels: images.maxPixels };
}
