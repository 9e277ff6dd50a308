import Ajv2020 from "ajv/dist/2020.js";
import type { Schema } from "./random-schema.ts";

const HOST =
  /^(?!.{254})([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const isDate = (text: string) =>
  /^\d{4}-\d\d-\d\d$/.test(text) &&
  new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text) === true;
const isTime = (text: string) =>
  /^\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) &&
  !Number.isNaN(Date.parse(`2026-01-01T${text}`));

/** Said apart from the expressions that guide: by Date, by URL, by counting. */
const formats = {
  date: isDate,
  time: isTime,
  "date-time": (text: string) =>
    isDate(text.slice(0, 10)) && text[10] === "T" && isTime(text.slice(11)),
  duration: (text: string) =>
    /^P(?!$)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?)$/.test(text),
  email: (text: string) => {
    const [name = "", host = "", ...more] = text.split("@");
    return more.length === 0 && /^[\w+-]+(\.[\w+-]+)*$/.test(name) && HOST.test(host);
  },
  hostname: HOST,
  ipv4: (text: string) => new URL(`http://${text}/`).hostname === text,
  ipv6: (text: string) => new URL(`http://[${text}]/`).hostname.startsWith("["),
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
};

/** Says what is wrong with an answer, by JSON.parse and ajv; null when it is what the schema asks for. */
export function validatorOf(schema: Schema): (answer: string) => string | null {
  const ajv = new Ajv2020({ strict: false, formats });
  const validate = ajv.compile(schema);
  return (answer) => faultOf(answer, validate, () => ajv.errorsText(validate.errors));
}

function faultOf(
  answer: string,
  validate: (value: unknown) => unknown,
  errors: () => string,
): string | null {
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch (error) {
    return String(error);
  }
  if (twice(answer)) return "a key comes twice";
  return validate(value) === true ? null : errors();
}

/** Whether JSON.parse drops something of it: then a key came twice. */
function twice(answer: string): boolean {
  let names = 0;
  JSON.parse(answer, function count(this: unknown, key, value) {
    if (key !== "" && !Array.isArray(this)) names += 1;
    return value;
  });
  const strings = [...answer.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)];
  return (
    strings.filter((found) => found[1] !== undefined && !found[0].startsWith('"":')).length > names
  );
}
