import { isIP } from "node:net";

/**
 * Ranges that are no places on the public internet, or are ones that only this machine's cloud sees.
 * Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890); 168.63.129.16 is
 * Azure's platform service, which every machine there can reach and nobody else.
 */
const NOT_PUBLIC_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
].map(range);

/** Only 2000::/3 is given out; these parts of it are not hosts' own: Teredo and others, documentation, 6to4. */
const PUBLIC_V6 = range("2000::/3");
const NOT_PUBLIC_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].map(range);

/** IPv6 addresses that mean an IPv4 address: mapped, compatible, and what NAT64 (RFC 6052) makes of one. */
const EMBEDS_V4 = ["::ffff:0:0/96", "::/96", "64:ff9b::/96"].map(range);

/**
 * Whether an address is one that anybody on the internet could reach too. What is no address, or has
 * a zone, is not public.
 */
export function isPublicAddress(address: string): boolean {
  const bytes = meantBytes(address);
  if (bytes === null) return false;
  if (bytes.length === 4) return !NOT_PUBLIC_V4.some((part) => within(bytes, part));
  return within(bytes, PUBLIC_V6) && !NOT_PUBLIC_V6.some((part) => within(bytes, part));
}

/**
 * The one spelling that an address has here, to compare it with others: an IPv6 address that means an IPv4
 * address is that one. Null for what is no address, or has a zone.
 */
export function plainAddress(address: string): string | null {
  return meantBytes(address)?.join(".") ?? null;
}

interface Range {
  readonly bytes: readonly number[];
  readonly bits: number;
}

function range(text: string): Range {
  const [address = "", bits] = text.split("/");
  return { bytes: parseAddress(address) ?? [], bits: Number(bits) };
}

function within(bytes: readonly number[], { bytes: base, bits }: Range): boolean {
  return base.every((byte, index) => {
    const own = Math.min(8, Math.max(0, bits - index * 8));
    const mask = (0xff << (8 - own)) & 0xff;
    return ((bytes[index] ?? 0) & mask) === (byte & mask);
  });
}

/** The 4 or 16 bytes of the address that is meant. */
function meantBytes(address: string): readonly number[] | null {
  const bytes = parseAddress(address);
  const isEmbedded = bytes?.length === 16 && EMBEDS_V4.some((part) => within(bytes, part));
  return isEmbedded ? bytes.slice(12) : bytes;
}

/** The 4 or 16 bytes of an address; null for anything else. */
function parseAddress(address: string): readonly number[] | null {
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 4) return address.split(".").map(Number);
  if (version !== 6) return null;
  // An IPv4 address may stand for the last two groups.
  const plain = address.replace(/\d+\.\d+\.\d+\.\d+$/, (v4) => {
    const [a = 0, b = 0, c = 0, d = 0] = v4.split(".").map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = "", tail] = plain.split("::");
  const before = groups(head);
  const after = groups(tail ?? "");
  const zeros = Array<number>(8 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]);
}

function groups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}
