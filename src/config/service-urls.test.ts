import { expect, test } from "bun:test";
import { databaseUrlOf, redisUrlOf } from "./service-urls.ts";

const read = (of: typeof redisUrlOf, url: string | null) => of({ secret: () => url });

test("addresses that can be asked are taken as they are", () => {
  for (const url of [null, "postgres://u:p%40@h/d", "postgresql://h/d?sslmode=verify-full"])
    expect(read(databaseUrlOf, url)).toBe(url);
  for (const url of [null, "redis://h", "rediss://:p%2F@h:6379/15", "redis://h/"])
    expect(read(redisUrlOf, url)).toBe(url);
});

test("what is no address is refused, and no word of it repeated", () => {
  for (const url of [
    "mysql://u:hunter2@h/d",
    "postgres://u:hunter2@h:port/d",
    "postgres://u:1/hunter2@h/d",
    "postgres://u:hunter2%zz@h/d",
    "postgres://u:p@h/d?sslmode=hunter2",
    "postgres://u:p@h/d#hunter2",
  ])
    expect(() => read(databaseUrlOf, url)).toThrow(/^DATABASE_URL: (?!.*hunter2)/);
  for (const url of [
    "hunter2",
    "redis://:1/hunter2@h",
    "redis://h/hunter2",
    "redis://:h%zunter2@h",
  ])
    expect(() => read(redisUrlOf, url)).toThrow(/^REDIS_URL: (?!.*unter2)/);
});
