import { expect, test } from "bun:test";
import { Metrics } from "./metrics.ts";

test("counters and gauges are lines under their help and type", async () => {
  const metrics = new Metrics();
  metrics.counter("calls_total", "Calls.", ["model"]).of("a").value += 2;
  metrics.gauge("running", "Now.").of().value = 3;
  expect(await metrics.text()).toBe(
    '# HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total{model="a"} 2\n' +
      "# HELP running Now.\n# TYPE running gauge\nrunning 3\n",
  );
});

test("a histogram counts what is up to each bound, a value on a bound included", async () => {
  const metrics = new Metrics();
  const seen = metrics.histogram("took_seconds", "Time.", [0.1, 1], ["by"]).of("x");
  for (const value of [0.05, 0.1, 0.5, 7]) seen.observe(value);
  expect((await metrics.text()).split("\n").slice(2, -1)).toEqual([
    'took_seconds_bucket{by="x",le="0.1"} 2',
    'took_seconds_bucket{by="x",le="1"} 3',
    'took_seconds_bucket{by="x",le="+Inf"} 4',
    'took_seconds_sum{by="x"} 7.65',
    'took_seconds_count{by="x"} 4',
  ]);
});

test("a label's value can't end the label, the line, or begin a metric of its own", async () => {
  const metrics = new Metrics();
  metrics.counter("c", "C.", ["l"]).of('a"} 1\nforged{x="\\').value = 1;
  metrics.counter("d", "D.", ["l"]).of("r\r\u0085").value = 1;
  const lines = (await metrics.text()).split("\n");
  expect(lines[2]).toBe('c{l="a\\"} 1\\nforged{x=\\"\\\\"} 1');
  expect(lines[5]).toBe('d{l="r  "} 1');
  expect(lines).toHaveLength(7);
});

test("past a number of series the rest are counted together", async () => {
  const metrics = new Metrics();
  const counter = metrics.counter("c", "C.", ["l"]);
  for (let n = 0; n < 20_000; n++) counter.of(`v${n}`).value += 1;
  const lines = (await metrics.text()).split("\n");
  expect(lines.length).toBeLessThan(5_010);
  expect(lines).toContain('c{l="other"} 15000');
});

test("what is read at a look is there in the same look, and two metrics of a name are refused", async () => {
  const metrics = new Metrics();
  const gauge = metrics.gauge("g", "G.", ["l"]);
  let looks = 0;
  metrics.onLook(async () => {
    gauge.clear();
    gauge.of(String(++looks)).value = looks;
  });
  expect(await metrics.text()).toContain('g{l="1"} 1');
  const second = await metrics.text();
  expect(second).toContain('g{l="2"} 2');
  expect(second).not.toContain('g{l="1"}');
  expect(() => metrics.counter("g", "Again.")).toThrow("two metrics g");
  expect(() => metrics.counter("no-name", "Bad.")).toThrow("no name");
});
