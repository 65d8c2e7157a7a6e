/**
 * Names of hosts in one form: lower case, internationalised labels as `xn--…` (RFC 3492, RFC 5891 §4.4), no final dot. What
 * is matched against grants is what is resolved, so no spelling can match as one name and resolve as another.
 */

/** RFC 1035 §2.3.4. */
const NAME_LENGTH_MAX = 253;
const LABEL_LENGTH_MAX = 63;

/** Ideographic and half-width full stops end a label as `.` does (RFC 3490 §3.1). */
const DOTS = /[\u3002\uff0e\uff61]/g;
const ASCII_LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
/** Letters, marks, digits: no format, direction or control character and no symbol that looks like a dot or a slash. */
const UNICODE_LABEL = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}_])?$/u;

/** `undefined`: no name of a host. */
export function canonicalHostName(text: string): string | undefined {
  if (text.length > NAME_LENGTH_MAX + 1) return undefined;
  const folded = text.replace(DOTS, ".").normalize("NFKC").toLowerCase().normalize("NFKC");
  const labels = folded.replace(/\.$/, "").split(".").map(canonicalLabel);
  const name = labels.join(".");
  return labels.includes(undefined) || name.length > NAME_LENGTH_MAX ? undefined : name;
}

function canonicalLabel(label: string): string | undefined {
  if (ASCII_LABEL.test(label)) return label.length <= LABEL_LENGTH_MAX ? label : undefined;
  if (!UNICODE_LABEL.test(label)) return undefined;
  const encoded = `xn--${punycode(label)}`;
  return encoded.length <= LABEL_LENGTH_MAX ? encoded : undefined;
}

// The parameters of RFC 3492 §5.
const BASE = 36;
const THRESHOLD_MIN = 1;
const THRESHOLD_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const INITIAL_BIAS = 72;
const INITIAL_CODE_POINT = 128;

const digit = (value: number): string => String.fromCharCode(value < 26 ? 97 + value : 22 + value);

function adapt(delta: number, points: number, first: boolean): number {
  let rest = Math.floor(delta / (first ? DAMP : 2));
  rest += Math.floor(rest / points);
  let bias = 0;
  for (; rest > ((BASE - THRESHOLD_MIN) * THRESHOLD_MAX) / 2; bias += BASE) rest = Math.floor(rest / (BASE - THRESHOLD_MIN));
  return bias + Math.floor(((BASE - THRESHOLD_MIN + 1) * rest) / (rest + SKEW));
}

/** RFC 3492 §6.3; a label is short, so nothing overflows. */
function punycode(label: string): string {
  const points = [...label].map((character) => character.codePointAt(0) ?? 0);
  const basic = points.filter((point) => point < INITIAL_CODE_POINT);
  let text = String.fromCharCode(...basic) + (basic.length === 0 ? "" : "-");
  let [next, delta, bias, handled] = [INITIAL_CODE_POINT, 0, INITIAL_BIAS, basic.length];
  while (handled < points.length) {
    const least = Math.min(...points.filter((point) => point >= next));
    delta += (least - next) * (handled + 1);
    next = least;
    for (const point of points) {
      if (point < next) delta += 1;
      if (point !== next) continue;
      text += variableLength(delta, bias);
      bias = adapt(delta, handled + 1, handled === basic.length);
      delta = 0;
      handled += 1;
    }
    delta += 1;
    next += 1;
  }
  return text;
}

function variableLength(delta: number, bias: number): string {
  let text = "";
  let rest = delta;
  for (let position = BASE; ; position += BASE) {
    const threshold = Math.min(Math.max(position - bias, THRESHOLD_MIN), THRESHOLD_MAX);
    if (rest < threshold) return text + digit(rest);
    text += digit(threshold + ((rest - threshold) % (BASE - threshold)));
    rest = Math.floor((rest - threshold) / (BASE - threshold));
  }
}

/** Ends of names that nobody can register for the public (RFC 6761, RFC 6762, RFC 8375, ICANN's resolutions on `.internal`, `.home`, `.corp`). */
const LOCAL_SUFFIXES = ["localhost", "local", "internal", "lan", "home.arpa", "home", "corp", "intranet", "private", "test"];

/** Whether only the operator's own resolver can answer for a canonical name, so that a stranger cannot choose its address. */
export const isLocalName = (name: string): boolean => !name.includes(".") || LOCAL_SUFFIXES.some((suffix) => name.endsWith(`.${suffix}`));

/** RFC 6761 §6.3: always this machine, without being asked of a server. */
export const isLocalhost = (name: string): boolean => name === "localhost" || name.endsWith(".localhost");
