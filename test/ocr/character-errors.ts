/**
 * Characters that must be put in, taken out or changed to make one text of the other, over the
 * length of what should have been read (Levenshtein). White space of any kind counts as one space.
 */
export function characterErrorRate(read: string, truth: string): number {
  const [a, b] = [plain(read), plain(truth)];
  let before = Array.from({ length: b.length + 1 }, (_, i) => i);
  a.forEach((character, i) => {
    const row = [i + 1];
    b.forEach((other, j) => {
      const change = (before[j] ?? 0) + (character === other ? 0 : 1);
      row.push(Math.min(change, (before[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    });
    before = row;
  });
  return (before.at(-1) ?? 0) / b.length;
}

function plain(text: string): string[] {
  return [...text.normalize("NFC").replace(/\s+/g, " ").trim()];
}
