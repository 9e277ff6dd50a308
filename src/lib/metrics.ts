/**
 * Metrics in Prometheus's text format (version 0.0.4,
 * https://prometheus.io/docs/instrumenting/exposition_formats/). Counting is a number that grows: whoever
 * counts often keeps the series and adds to it. Ours, and not prom-client's (15.1.3, with two dependencies):
 * it has no bound on how many series a name may have, and looks labels up at every observation.
 */

const NAME = /^[a-z][a-z0-9_]*$/;
/** Series of one metric; what comes after them is counted together, under "other" for every label. */
const MOST_SERIES = 5_000;
const OTHER = "other";

/** One number with its labels. */
export interface Series {
  value: number;
}

interface Written {
  readonly labels: string;
  /** Appends its lines. */
  write(into: string[], name: string): void;
}

class Value implements Series, Written {
  value = 0;
  readonly labels: string;

  constructor(labels: string) {
    this.labels = labels;
  }

  write(into: string[], name: string): void {
    into.push(`${name}${braces(this.labels)} ${number(this.value)}`);
  }
}

/** How many observations were up to each bound, their number and their sum. */
export class Distribution implements Written {
  readonly labels: string;
  readonly #bounds: Float64Array;
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(labels: string, bounds: Float64Array) {
    this.labels = labels;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let at = 0;
    const bounds = this.#bounds;
    while (at < bounds.length && value > (bounds[at] ?? 0)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  write(into: string[], name: string): void {
    const comma = this.labels === "" ? "" : ",";
    let total = 0;
    this.#counts.forEach((count, at) => {
      total += count;
      const bound = this.#bounds[at];
      const le = bound === undefined ? "+Inf" : number(bound);
      into.push(`${name}_bucket{${this.labels}${comma}le="${le}"} ${total}`);
    });
    into.push(`${name}_sum${braces(this.labels)} ${number(this.#sum)}`);
    into.push(`${name}_count${braces(this.labels)} ${total}`);
  }
}

/** All series of one name. */
export class Metric<S extends Written> {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly #labels: readonly string[];
  readonly #make: (labels: string) => S;
  readonly #series = new Map<string, S>();

  constructor(
    about: Pick<Metric<S>, "name" | "help" | "type">,
    labels: readonly string[],
    make: (labels: string) => S,
  ) {
    for (const name of [about.name, ...labels]) {
      if (!NAME.test(name)) throw new TypeError(`${name} is no name for a metric or a label`);
    }
    this.name = about.name;
    this.help = about.help;
    this.type = about.type;
    this.#labels = labels;
    this.#make = make;
  }

  /** The series with these values of its labels, in their order. */
  of(...values: readonly string[]): S {
    const key = values.join("\0");
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= MOST_SERIES && values.some((value) => value !== OTHER)) {
      return this.of(...values.map(() => OTHER));
    }
    const pairs = this.#labels.map((label, at) => `${label}="${escaped(values[at] ?? "")}"`);
    const made = this.#make(pairs.join(","));
    this.#series.set(key, made);
    return made;
  }

  /** Forgets all series: for what is read anew at every look. */
  clear(): void {
    this.#series.clear();
  }

  write(into: string[]): void {
    if (this.#series.size === 0) return;
    into.push(`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} ${this.type}`);
    for (const series of this.#series.values()) series.write(into, this.name);
  }
}

export type Counter = Metric<Series & Written>;
export type Gauge = Metric<Series & Written>;
export type Histogram = Metric<Distribution>;

/** The metrics of one process. */
export class Metrics {
  readonly #metrics: Metric<Written>[] = [];
  readonly #readers: (() => void | Promise<void>)[] = [];

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    return this.#add(
      new Metric({ name, help, type: "counter" }, labels, (text) => new Value(text)),
    );
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    return this.#add(new Metric({ name, help, type: "gauge" }, labels, (text) => new Value(text)));
  }

  /** @param bounds upper ones, rising; the last bucket has none */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    labels: readonly string[] = [],
  ): Histogram {
    const all = Float64Array.from(bounds);
    return this.#add(
      new Metric({ name, help, type: "histogram" }, labels, (text) => new Distribution(text, all)),
    );
  }

  /** `read` is run before every look: it sets what is only known then. */
  onLook(read: () => void | Promise<void>): void {
    this.#readers.push(read);
  }

  /** All of them as text. Rejects with what a reader throws. */
  async text(): Promise<string> {
    for (const read of this.#readers) await read();
    const lines: string[] = [];
    for (const metric of this.#metrics) metric.write(lines);
    return `${lines.join("\n")}\n`;
  }

  #add<M extends Metric<Written>>(metric: M): M {
    if (this.#metrics.some(({ name }) => name === metric.name)) {
      throw new TypeError(`there are two metrics ${metric.name}`);
    }
    this.#metrics.push(metric);
    return metric;
  }
}

function braces(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

const LONGEST_LABEL = 200;

/** A label's value: what could end it, or the line, is escaped. */
function escaped(value: string): string {
  return value
    .slice(0, LONGEST_LABEL)
    .toWellFormed()
    .replace(/[\\"\n]/g, (each) => (each === "\n" ? "\\n" : `\\${each}`))
    .replace(/\p{Cc}/gu, " ");
}

function number(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
