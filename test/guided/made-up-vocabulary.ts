const encoder = new TextEncoder();
const bytes = (...all: number[]) => Uint8Array.from(all);

/** The one token that ends an answer. */
export const END = 0;

/** Tokens as models have them: every byte, pieces of words, of JSON, of characters, and one that ends. */
export function madeUpVocabulary(): Uint8Array[] {
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const texts = [
    ...letters.flatMap((one) => letters.map((two) => one + two)),
    ...letters.map((one) => ` ${one}${one}x`),
    ...Array.from({ length: 100 }, (_, number) => String(number)),
    ...[
      '{"',
      '":',
      '": "',
      '",',
      '", "',
      '"}',
      '"]',
      "},",
      "}]",
      "[]",
      "{}",
      "[[",
      ', "',
      ":",
      '\\"',
    ],
    ...[
      "\n",
      "\n  ",
      "\n\n",
      "  ",
      "    ",
      "\t",
      " {",
      " [",
      ": ",
      ", ",
      '"\n}',
      "\\",
      "\\u00",
      "\\n",
    ],
    ...[
      "true",
      "false",
      "null",
      " true",
      "-",
      "e+",
      "0.",
      ".5",
      "red",
      "green",
      "foo",
      "ba",
      "Foo",
    ],
    ...[
      "é",
      "größe",
      "äö",
      "🙂",
      "漢字",
      '"id',
      "name",
      "T10:",
      "-0",
      "2026-",
      "@",
      ".com",
      "undeclared",
    ],
  ];
  return [
    bytes(),
    ...Array.from({ length: 256 }, (_, byte) => bytes(byte)),
    ...texts.map((text) => encoder.encode(text)),
    bytes(0xf0, 0x9f),
    bytes(0x9f, 0x99, 0x82),
    bytes(0x22, 0xc3),
    bytes(0xa9, 0x22),
    bytes(0xed, 0xa0),
    bytes(0xff, 0x20),
  ];
}
