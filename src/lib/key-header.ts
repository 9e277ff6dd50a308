/** How a server wants its key: as a bearer token, bare in a header, or as `user:password` of HTTP's Basic scheme. */
export type KeyForm = "bearer" | "x-api-key" | "basic";

/** The header that carries a key; none without one. */
export function keyHeader(form: KeyForm, key: string | null): Record<string, string> {
  if (key === null) return {};
  if (form === "x-api-key") return { "x-api-key": key };
  return {
    authorization:
      form === "bearer" ? `Bearer ${key}` : `Basic ${Buffer.from(key).toString("base64")}`,
  };
}
