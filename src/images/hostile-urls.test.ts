import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  type Mock,
  spyOn,
  test,
} from "bun:test";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { selfSigned } from "../../test/certificate.ts";
import { isHere } from "../../test/needs.ts";
import { GatewayError } from "../contract/errors.ts";
import { fetchPublic, isForeignPublicAddress, PublicFetchError } from "../lib/public-fetch.ts";
import { ImageSource } from "./source.ts";

/**
 * URLs that mean something inside this network, in every notation, over HTTP and HTTPS, directly and behind
 * redirects. Whatever listens here counts its connections; there must be none, and no attempt at one.
 */

/** Stands for a public address, so that a redirect can begin outside. */
const OUTSIDE = "127.0.0.2";
const PARAM = "messages[0].content[1].image_url.url";
const never = new AbortController().signal;

/** Hosts that are this machine, its network, or a cloud's own services. `%` of a zone must be escaped. */
const HOSTS: Readonly<Record<string, readonly string[]>> = {
  "this machine": [
    ...["127.0.0.1", "127.0.0.1.", "127.255.255.254", "localhost", "LocalHost", "localhost."],
    ...["0.0.0.0", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000:0000::0001]"],
  ],
  "this machine in short": ["127.1", "127.0.1", "0", "0x0", "00000000", "[::0.0.0.1]"],
  "decimal, octal, hexadecimal": [
    ...["2130706433", "017700000001", "0x7f000001", "0X7F000001", "0177.0.0.1", "0177.0.1"],
    ...["0x7f.0.0.1", "0x7f.1", "127.0x0.0.01", "00177.00.00.01", "0x7f.0x0.0x0.0x1"],
    ...["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518"],
    ...["3232235777", "0xc0a80101", "167772161", "10.1", "192.168.257"],
  ],
  "written otherwise": [
    ...[
      "①②⑦.⓪.⓪.①",
      "127。0。0。1",
      "１２７.０.０.１",
      "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
      "loc%61lhost",
      "%31%32%37.0.0.1",
    ],
    ...[
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "[::FFFF:7F00:0001]",
      "[0:0:0:0:0:ffff:127.0.0.1]",
    ],
    ...["[::127.0.0.1]", "[::7f00:1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]"],
    ...["[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]"],
  ],
  "private networks": [
    ...["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "198.18.0.1"],
    ...["[fc00::1]", "[fd12:3456::1]", "[fec0::1]", "[::ffff:10.0.0.1]", "[::ffff:c0a8:1]"],
  ],
  "link-local and metadata": [
    ...["169.254.169.254", "169.254.170.2", "169.254.0.1", "100.100.100.200", "168.63.129.16"],
    ...["192.0.0.192", "metadata.google.internal", "instance-data", "[fe80::1]", "[fd00:ec2::254]"],
    ...["[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]"],
  ],
  "nobody's": [
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "[ff02::1]",
    "[2001:db8::1]",
    "192.0.2.1",
  ],
};

/** Whole URLs; `P` is a port that counts. */
const URLS: readonly string[] = [
  "http://public.invalid@127.0.0.1:P/",
  "http://127.0.0.1:P@public.invalid/",
  "http://public.invalid:80@127.0.0.1:P/",
  "http://public.invalid%40127.0.0.1:P/",
  "http://public.invalid#@127.0.0.1:P/",
  "http://public.invalid\\@127.0.0.1:P/",
  "http://127.0.0.1:P\\@public.invalid/",
  "http://127.0.0.1:P#public.invalid",
  "http://127.0.0.1:P?.public.invalid",
  "http://[::1]:P#.public.invalid/",
  "http:127.0.0.1:P",
  "http:/127.0.0.1:P/",
  "http:////127.0.0.1:P/",
  "http:\\\\127.0.0.1:P\\",
  " http://127.0.0.1:P/",
  "ht\ntp://127.0.0.1:P/",
  "http://127.0.0.1\t:P/",
  "HTTP://127.0.0.1:P/",
  "//127.0.0.1:P/",
  "127.0.0.1:P",
  "http://127.0.0.1:0P/",
  "http://127.0.0.1:P:P/",
  "http://[fe80::1%25lo]:P/",
  "http://[127.0.0.1]:P/",
  "ftp://127.0.0.1:P/",
  "gopher://127.0.0.1:P/_GET",
  "dict://127.0.0.1:P/",
  "ldap://127.0.0.1:P/",
  "ws://127.0.0.1:P/",
  "wss://127.0.0.1:P/",
  "file:///etc/passwd",
  "file://127.0.0.1:P/etc/passwd",
  "blob:http://127.0.0.1:P/0",
  "view-source:http://127.0.0.1:P/",
  "jar:http://127.0.0.1:P/!/",
  "unix:/run/docker.sock",
  "http+unix://%2Frun%2Fdocker.sock/",
  "javascript:fetch('http://127.0.0.1:P/')",
  "about:blank",
  "data:text/html,<img src='http://127.0.0.1:P/'>",
  "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciPjxpbWFnZSBocmVmPSJodHRwOi8vMTI3LjAuMC4xLyIvPjwvc3ZnPg==",
];

/** Ports of other protocols, on addresses that are public. */
const PORTS = [22, 25, 53, 110, 143, 465, 587, 993, 2049, 6000, 6667, 10080];

let connections = 0;
const counters: Server[] = [];
let outside: ReturnType<typeof Bun.serve>;
let secure: ReturnType<typeof Bun.serve> | null = null;
let ca: string | null = null;
let asked: Mock<typeof fetch>;

function answers(request: Request): Response {
  const { searchParams } = new URL(request.url);
  const to = searchParams.get("to");
  const status = Number(searchParams.get("status") ?? 302);
  return to === null
    ? new Response("picture")
    : new Response(null, {
        status,
        headers: { location: to.replace(/[^ -~]+/g, encodeURIComponent) },
      });
}

async function count(host: string, port: number): Promise<void> {
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  counters.push(server);
  await new Promise<void>((listening, failed) => {
    server.once("error", failed).listen(port, host, listening);
  });
}

/** This machine's own addresses: what listens on them may be shut off from outside. */
const OWN = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .filter(({ scopeid }) => scopeid === undefined || scopeid === 0)
  .map(({ address, family }) => ({ address, host: family === "IPv6" ? `[${address}]` : address }));

beforeAll(async () => {
  outside = Bun.serve({ hostname: OUTSIDE, port: 0, fetch: answers });
  if (isHere("openssl")) {
    const made = selfSigned("public.invalid");
    ca = made.cert;
    secure = Bun.serve({ hostname: OUTSIDE, port: 0, tls: made, fetch: answers });
  }
  for (const port of [outside.port ?? 0, secure?.port ?? 0].filter((each) => each !== 0))
    for (const { address } of OWN) await count(address, port);
});
afterAll(async () => {
  for (const server of counters) server.close();
  await outside.stop(true);
  await secure?.stop(true);
});
beforeEach(() => {
  connections = 0;
  asked = spyOn(globalThis, "fetch");
});
afterEach(() => asked.mockRestore());

/** What was connected to, as fetch was told. */
function connectedTo(): string[] {
  return [...new Set(asked.mock.calls.map(([url]) => new URL(String(url)).hostname))];
}

async function refused(url: string): Promise<GatewayError> {
  const error = await new ImageSource().read({ url, param: PARAM }, never).then(
    () => new Error(`${url} was fetched`),
    (thrown: unknown) => thrown,
  );
  if (error instanceof GatewayError) return error;
  throw error;
}

const all = [...Object.values(HOSTS).flat(), ...OWN.map(({ host }) => host)];

test("the list is as long as it has to be", () => {
  expect(new Set([...all, ...URLS]).size).toBeGreaterThan(120);
});

test("the counters count", async () => {
  for (const { host } of OWN) await fetch(`http://${host}:${outside.port}/`).catch(() => null);
  expect(connections).toBe(OWN.length);
});

for (const [kind, hosts] of Object.entries({ ...HOSTS, "its own": OWN.map(({ host }) => host) })) {
  test.each(hosts)(`${kind}: %s is not connected to, by HTTP or HTTPS`, async (host) => {
    for (const url of [
      `http://${host}:${outside.port}/latest/meta-data/`,
      `https://${host}:${secure?.port ?? 443}/`,
      `http://${host}/`,
    ]) {
      const error = await refused(url);
      expect([error.status, error.param]).toEqual([400, PARAM]);
      expect(error.message).toMatch(/could not be fetched; its address must be public|expected a/);
    }
    expect([connections, connectedTo()]).toEqual([0, []]);
  });
}

test.each(URLS)("%j leads nowhere", async (pattern) => {
  const url = pattern.replaceAll("P", String(outside.port));
  const error = await refused(url);
  expect([error.status, error.param]).toEqual([400, PARAM]);
  expect([connections, connectedTo()]).toEqual([0, []]);
});

test.each(PORTS)("port %i of a public address is not connected to", async (port) => {
  for (const scheme of ["http", "https"])
    expect((await refused(`${scheme}://1.1.1.1:${port}/`)).status).toBe(400);
  expect(connectedTo()).toEqual([]);
});

/** Fetches as if OUTSIDE were public, with all other addresses as they are. */
async function fromOutside(
  url: string,
  resolve = async (): Promise<string[]> => [OUTSIDE],
): Promise<string> {
  return fetchPublic(url, {
    maxBytes: 1000,
    signal: never,
    resolve: (host) => (host.endsWith(".invalid") ? resolve() : Promise.resolve(["127.0.0.1"])),
    isAllowed: (address) => address === OUTSIDE || isForeignPublicAddress(address),
    ...(ca === null ? {} : { ca }),
  }).then(
    (bytes) => new TextDecoder().decode(bytes),
    (error: unknown) => {
      if (error instanceof PublicFetchError) return error.reason;
      throw error;
    },
  );
}

describe("behind a redirect", () => {
  const STATUSES = [301, 302, 303, 307, 308];
  const to = (scheme: "http" | "https", target: string, status = 302): string => {
    const port = scheme === "http" ? outside.port : secure?.port;
    return `${scheme}://public.invalid:${port}/?status=${status}&to=${encodeURIComponent(target)}`;
  };

  test("outside itself is reached, so that what follows means something", async () => {
    expect(await fromOutside(`http://public.invalid:${outside.port}/`)).toBe("picture");
    expect(await fromOutside(to("http", "/"))).toBe("picture");
    if (secure === null) return;
    expect(await fromOutside(to("https", "/"))).toBe("picture");
    expect(await fromOutside(to("https", to("http", "/")))).toBe("picture");
  });

  test.each(all)("%s is not connected to, at once or after two more", async (host) => {
    for (const [place, scheme] of (["http", "https"] as const).entries()) {
      if (scheme === "https" && secure === null) continue;
      const port = scheme === "http" ? outside.port : secure?.port;
      for (const target of [
        `http://${host}:${outside.port}/`,
        `https://${host}:${port}/`,
        `//${host}:${port}/`,
      ]) {
        const status = STATUSES[(host.length + place) % STATUSES.length] ?? 302;
        expect(await fromOutside(to(scheme, target, status))).toMatch(/^(?:unreachable|bad_url)$/);
        const twice = to(scheme, to("http", target, 307), status);
        expect(await fromOutside(twice)).toMatch(/^(?:unreachable|bad_url)$/);
      }
    }
    expect([connections, connectedTo()]).toEqual([0, [OUTSIDE]]);
  });

  // What a header can hold.
  test.each(URLS.filter((url) => url.includes(":") && !/[\n\t]/.test(url)))(
    "%j leads nowhere",
    async (pattern) => {
      const target = pattern.replaceAll("P", String(outside.port));
      await fromOutside(to("http", target));
      expect([connections, connectedTo()]).toEqual([0, [OUTSIDE]]);
    },
  );
});

describe("a name that means one address when it is looked at and another when it is connected to", () => {
  /** The answers of the name server, one after the other; the last stays. */
  let zone: string[][] = [];
  let queries = 0;
  let server: UdpSocket;
  let resolver: Resolver;

  beforeAll(async () => {
    server = createSocket("udp4", (query, from) => {
      const answer = dnsAnswer(query, zone[Math.min(queries, zone.length - 1)] ?? []);
      if (query.readUInt16BE(query.length - 4) === 1) queries += 1;
      server.send(answer, from.port, from.address);
    });
    await new Promise<void>((bound) => server.bind(0, "127.0.0.1", bound));
  });
  afterAll(() => server.close());

  const lookUp = async (): Promise<string[]> => {
    const six = await resolver.resolve6("rebind.invalid").catch(() => []);
    return [...six, ...(await resolver.resolve4("rebind.invalid"))];
  };
  const rebinding = (...answers: string[][]): void => {
    zone = answers;
    queries = 0;
    // One that remembers nothing.
    resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${server.address().port}`]);
  };
  const schemes = (): string[] => [
    `http://public.invalid:${outside.port}`,
    ...(secure === null ? [] : [`https://public.invalid:${secure.port}`]),
  ];

  test("is connected to at the address that was looked at, by HTTP and HTTPS", async () => {
    for (const origin of schemes()) {
      rebinding([OUTSIDE], ["127.0.0.1"]);
      expect(await fromOutside(`${origin}/`, lookUp)).toBe("picture");
      // It means the other one by now.
      expect(await lookUp()).toEqual(["127.0.0.1"]);
    }
    expect([connections, connectedTo()]).toEqual([0, [OUTSIDE]]);
  });

  test("is looked up again behind a redirect, and refused", async () => {
    for (const origin of schemes()) {
      rebinding([OUTSIDE], ["127.0.0.1"]);
      expect(await fromOutside(`${origin}/?to=/secret`, lookUp)).toBe("unreachable");
    }
    expect([connections, connectedTo()]).toEqual([0, [OUTSIDE]]);
  });

  test.each([
    [[OUTSIDE, "127.0.0.1"]],
    [["127.0.0.1", OUTSIDE]],
    [[OUTSIDE, "::1"]],
    [[OUTSIDE, "::ffff:127.0.0.1"]],
    [[OUTSIDE, "169.254.169.254"]],
    [["1.1.1.1", "10.0.0.1"]],
  ])("is refused when it means several, and one of them is inside: %j", async (addresses) => {
    for (const origin of schemes()) {
      rebinding(addresses);
      expect(await fromOutside(`${origin}/`, lookUp)).toBe("unreachable");
    }
    expect([connections, connectedTo()]).toEqual([0, []]);
  });
});

/** An answer with these addresses, as far as they are of the kind that is asked for; to be kept for no time. */
function dnsAnswer(query: Buffer, addresses: readonly string[]): Buffer {
  const question = query.subarray(12, query.indexOf(0, 12) + 5);
  const type = question.readUInt16BE(question.length - 4);
  const records = addresses
    .filter((address) => (type === 28) === address.includes(":"))
    .map((address) => {
      const data = type === 28 ? bytesOfV6(address) : Buffer.from(address.split(".").map(Number));
      const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length]);
      return Buffer.concat([head, data]);
    });
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question, ...records]);
}

function bytesOfV6(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  if (address === "::1") bytes[15] = 1;
  else Buffer.from([0xff, 0xff, 127, 0, 0, 1]).copy(bytes, 10);
  return bytes;
}
