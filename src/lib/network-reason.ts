/** The ways a connection fails, by the code that Bun's fetch puts on its error. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was closed without an answer",
  EHOSTUNREACH: "there is no route to that host",
  ENETUNREACH: "there is no route to that host",
  ENOTFOUND: "there is no such host, or the network is down",
  EAI_AGAIN: "its name cannot be looked up now",
  EPROTO: "the TLS handshake failed: is it an https address?",
  ETIMEDOUT: "the connection timed out",
};

/** Why a request got no answer, in words for a person; the error's own message where nothing better is known. */
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  return REASONS[code] ?? error.message;
}
