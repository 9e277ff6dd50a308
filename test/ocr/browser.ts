/** A page as Chromium draws it. */
export interface Shot {
  /** Pixels of CSS; the picture has `scale` times as many. */
  readonly width: number;
  readonly scale?: number;
}

/** One Chromium, without a window, spoken to by its DevTools protocol. */
export interface Browser {
  /** PNG bytes of the whole of a page, once its fonts are there. */
  shoot(html: string, shot: Shot): Promise<Uint8Array>;
  close(): Promise<void>;
}

type Call = (method: string, params: object) => Promise<{ readonly [key: string]: unknown }>;

export async function openBrowser(): Promise<Browser> {
  const child = Bun.spawn(
    ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"],
    { stdout: "ignore", stderr: "pipe" },
  );
  const socket = new WebSocket(await addressIn(child.stderr));
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const call = calls(socket);
  return {
    shoot: (html, shot) => shoot(call, html, shot),
    close: async () => {
      socket.close();
      child.kill();
      await child.exited;
    },
  };
}

async function addressIn(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stderr.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, { stream: true });
    const address = /listening on (ws:\S+)/.exec(text)?.[1];
    if (address === undefined) continue;
    // What it says later is read too, so that it never waits for a reader.
    reader.releaseLock();
    stderr.pipeTo(new WritableStream()).catch(() => undefined);
    return address;
  }
  throw new Error(`chromium did not start: ${text}`);
}

function calls(socket: WebSocket) {
  const waiting = new Map<number, PromiseWithResolvers<{ readonly [key: string]: unknown }>>();
  let last = 0;
  socket.onmessage = ({ data }) => {
    const { id, result, error } = JSON.parse(String(data));
    const answer = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) answer?.resolve(result);
    else answer?.reject(new Error(error.message));
  };
  return (sessionId: string | undefined): Call =>
    (method, params) => {
      const answer = Promise.withResolvers<{ readonly [key: string]: unknown }>();
      waiting.set(++last, answer);
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
      return answer.promise;
    };
}

async function shoot(
  session: (id: string | undefined) => Call,
  html: string,
  { width, scale = 1 }: Shot,
): Promise<Uint8Array> {
  const browser = session(undefined);
  const { targetId } = await browser("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await browser("Target.attachToTarget", { targetId, flatten: true });
  const page = session(String(sessionId));
  const metrics = { width, height: 100, deviceScaleFactor: scale, mobile: false };
  await page("Emulation.setDeviceMetricsOverride", metrics);
  await page("Page.setDocumentContent", { frameId: targetId, html });
  const expression =
    "document.fonts.ready.then(() => document.documentElement.getBoundingClientRect().height)";
  const { result } = await page("Runtime.evaluate", {
    expression,
    awaitPromise: true,
    returnByValue: true,
  });
  const height = Math.ceil(Number(Object(result).value));
  const clip = { x: 0, y: 0, width, height, scale: 1 };
  const { data } = await page("Page.captureScreenshot", { clip, captureBeyondViewport: true });
  await browser("Target.closeTarget", { targetId });
  return Uint8Array.fromBase64(String(data));
}
