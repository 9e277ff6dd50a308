/**
 * The text of a response, unless it is longer than `maxBytes` after decompression.
 * @throws RangeError when it is; the connection is closed then
 */
export async function readText(response: Response, maxBytes: number): Promise<string> {
  const { headers, body } = response;
  const announced = headers.get("content-length");
  // What the header says is what comes, unless it is compressed.
  if (announced !== null && headers.get("content-encoding") === null) {
    if (Number(announced) <= maxBytes) return await response.text();
  }
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      if (bytes > maxBytes) throw new RangeError(`A body is longer than ${maxBytes} bytes.`);
      pieces.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
  return pieces.join("") + decoder.decode();
}
