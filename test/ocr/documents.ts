import { type Font, fontFace } from "./pages.ts";

/** Documents of known text, as HTML for Chromium, with what should be read of them. */
export interface Document {
  readonly html: string;
  /** CSS pixels. */
  readonly width: number;
  readonly text: string;
}

const SANS: Font = { family: "Arimo", pack: "arimo" };
const SERIF: Font = { family: "Tinos", pack: "tinos" };
const MONO: Font = { family: "Cousine", pack: "cousine" };

const BOUGHT = [
  ["2 x Espresso", "5.80"],
  ["1 x Croissant", "2.45"],
  ["1 x Orange juice", "3.90"],
  ["3 x Mineral water", "7.50"],
  ["Subtotal", "19.65"],
  ["VAT 7%", "1.38"],
  ["TOTAL EUR", "21.03"],
  ["Card **** 4821", "21.03"],
] as const;

/** Names on the left, prices on the right, as a till prints them. */
export async function receipt(): Promise<Document> {
  const rows = BOUGHT.map(
    ([what, price]) => `<div><span>${what}</span><span>${price}</span></div>`,
  );
  const html = `<style>${await fontFace(MONO)}
    body { width: 320px; margin: 24px; font: 16px/1.5 Cousine; background: #fdfcf8; color: #222; }
    div { display: flex; justify-content: space-between } p { margin: 0; text-align: center }
    h1 { font: 24px/1.4 Cousine; margin: 0; text-align: center }</style>
    <h1>CAFE AURORA</h1><p>14 Harbour Street</p><p>2026-11-20 14:37</p><br>${rows.join("")}<br>
    <p>Thank you for your visit!</p>`;
  const lines = ["CAFE AURORA", "14 Harbour Street", "2026-11-20 14:37"];
  lines.push(...BOUGHT.map((row) => row.join(" ")), "Thank you for your visit!");
  return { html, width: 368, text: lines.join("\n") };
}

/** A mail program: small letters, light on dark too. */
export async function screenshot(): Promise<Document> {
  const html = `<style>${await fontFace(SANS)}
    body { margin: 0; font: 13px/1.4 Arimo; color: #1c1e21; background: white }
    header { background: #24344d; color: white; padding: 10px 16px; font-size: 16px }
    main { padding: 16px } p { margin: 0 0 10px; white-space: nowrap }
    button { font: 13px Arimo; color: white; background: #1a73e8; border: 0; border-radius: 4px; padding: 8px 16px }
    small { font-size: 11px; color: #667 }</style>
    <header>Inbox (3 unread)</header><main>
    <p><b>Quarterly report is due on Friday</b></p>
    <p>Hello Marta, please send me the figures for July, August and September.</p>
    <p>The budget was $48,200 and we spent 93% of it.</p>
    <p><small>Received today at 09:41 from finance@example.com</small></p>
    <button>Reply to all</button></main>`;
  const text = `Inbox (3 unread)
Quarterly report is due on Friday
Hello Marta, please send me the figures for July, August and September.
The budget was $48,200 and we spent 93% of it.
Received today at 09:41 from finance@example.com
Reply to all`;
  return { html, width: 560, text };
}

const LEFT = [
  "The lighthouse was built in 1871",
  "on a rock two miles off the coast.",
  "Its lamp burned whale oil at first,",
  "then paraffin, and from 1923 on it",
  "was lit by electricity. The keeper",
  "climbed 214 steps every evening.",
];
const RIGHT = [
  "In winter no boat could land for",
  "weeks, and letters were dropped in",
  "sealed tins. When the last keeper",
  "left in 1988, he took the logbooks",
  "with him; they are now kept in the",
  "town museum beside the harbour.",
];

/** A page of a book in two columns, under a title that spans both. */
export async function article(): Promise<Document> {
  const column = (lines: readonly string[]) => `<div>${lines.join("<br>")}</div>`;
  const html = `<style>${await fontFace(SERIF)}
    body { margin: 60px; font: 22px/1.45 Tinos; background: white; color: black }
    h1 { font: 34px Tinos; text-align: center; margin: 0 }
    h2 { font: 24px Tinos; text-align: center; margin: 8px 0 30px }
    main { display: flex; gap: 50px; white-space: nowrap }</style>
    <h1>A Light on the Northern Rock: Its Keepers</h1><h2>1871 to 1988</h2>
    <main>${column(LEFT)}${column(RIGHT)}</main>`;
  const title = "A Light on the Northern Rock: Its Keepers\n1871 to 1988";
  return { html, width: 860, text: [title, ...LEFT, ...RIGHT].join("\n") };
}
