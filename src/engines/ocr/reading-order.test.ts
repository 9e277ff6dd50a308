import { expect, test } from "bun:test";
import { type Place, readingOrder } from "./reading-order.ts";

/** A piece 20 high whose top left corner is there. */
function piece(left: number, top: number, width: number): Place {
  return { left, right: left + width, top, bottom: top + 20 };
}

test("pieces of one line go from left to right, lines from top to bottom, however they were found", () => {
  const order = readingOrder([piece(300, 52, 80), piece(0, 0, 200), piece(0, 50, 200)]);
  expect(order).toEqual([[1], [2, 0]]);
});

test("a line that sinks by less than half its height is still one line", () => {
  expect(readingOrder([piece(0, 0, 100), piece(110, 7, 100)])).toEqual([[0, 1]]);
});

test("names and prices far apart stay in their lines", () => {
  const rows = [0, 1, 2, 3, 4].flatMap((row) => [
    piece(0, row * 30, 180),
    piece(400, row * 30, 50),
  ]);
  expect(readingOrder(rows)).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
    [6, 7],
    [8, 9],
  ]);
});

const columns = [0, 1, 2, 3].flatMap((row) => [
  piece(0, 60 + row * 30, 300),
  piece(340, 63 + row * 30, 280),
]);
const oneByOne = [[0], [2], [4], [6], [1], [3], [5], [7]];

test("columns of prose are read one after the other", () => {
  expect(readingOrder(columns)).toEqual(oneByOne);
});

test("a title over both columns comes first and a footer last", () => {
  const page = [...columns, piece(0, 0, 620), piece(100, 220, 400)];
  expect(readingOrder(page)).toEqual([[8], ...oneByOne, [9]]);
});

test("a short line above one column belongs to neither", () => {
  expect(readingOrder([...columns, piece(350, 20, 100)])).toEqual([[8], ...oneByOne]);
});

test("three columns are read in turn", () => {
  const three = [0, 1, 2].flatMap((row) =>
    [0, 1, 2].map((column) => piece(column * 240, row * 30, 200)),
  );
  expect(readingOrder(three)).toEqual([[0], [3], [6], [1], [4], [7], [2], [5], [8]]);
});

test("two lines side by side are no columns", () => {
  const two = [piece(0, 0, 300), piece(340, 0, 300), piece(0, 30, 300), piece(340, 30, 300)];
  expect(readingOrder(two)).toEqual([
    [0, 1],
    [2, 3],
  ]);
});

test("nothing has no order, and a page of noise is ordered in bounded time", () => {
  expect(readingOrder([])).toEqual([]);
  // Everywhere and of all widths, so that gutters seem to be everywhere.
  const many = Array.from({ length: 2_000 }, (_, i) =>
    piece((i * 7_919) % 3_000, (i * 104_729) % 4_000, 20 + ((i * 31) % 200)),
  );
  const began = performance.now();
  expect(readingOrder(many).flat()).toHaveLength(2_000);
  expect(performance.now() - began).toBeLessThan(5_000);
});
