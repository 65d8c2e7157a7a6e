/** Canonical line protocol of a parsed line: the `original_line` of schema errors (spec: line-protocol-and-write §5). */
import type { FieldValue, ParsedLine } from "./parse-line.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const escapeKey = (text: string): string => text.replace(/[,= ]/g, "\\$&");

/** Text of the whole line; values as the reference prints them (strings without their quotes). */
export function renderLine(line: ParsedLine): string {
  const tags = line.tags.map(([name, value]) => `,${escapeKey(name)}=${escapeKey(value)}`).join("");
  const fields = line.fields.map((field) => `${escapeKey(field.name)}=${renderValue(field.value)}`).join(",");
  const timestamp = line.timestamp === undefined ? "" : ` ${line.timestamp}`;
  return `${line.measurement.replace(/[, ]/g, "\\$&")}${tags} ${fields}${timestamp}`;
}

function renderValue(value: FieldValue): string {
  switch (value.kind) {
    case "int64":
      return `${value.value}i`;
    case "uint64":
      return `${value.value}u`;
    case "utf8":
      return decoder.decode(value.value).replace(/"/g, '\\"');
    case "float64":
      return Object.is(value.value, -0) ? "-0" : String(value.value);
    case "bool":
      return String(value.value);
  }
}
