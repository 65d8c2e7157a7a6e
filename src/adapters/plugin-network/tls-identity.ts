/**
 * A plugin's own certificate and key, looked at before OpenSSL sees them: it reads keys and checks chains at once, on the
 * thread that serves everybody, and some texts keep it busy for as long as their author likes.
 */
import { NetworkError } from "../../ports/plugin-network.ts";
import { elements, INTEGER, inside, objectId, SEQUENCE } from "./der.ts";
import { CHAIN_CERTIFICATES_MAX, IDENTITY_TEXT_LENGTH_MAX, KEY_ITERATIONS_MAX, KEY_TEXT_LENGTH_MAX } from "./limits.ts";

const KEY_LABELS = ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
/** RFC 8018: a password is turned into a key by PBKDF2, whose iterations are in the text. */
const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";

/** The certificates in a text that may hold other things too (Python takes one file for both). Throws `NetworkError`. */
export function ownChain(text: string): string {
  const found = blocks(checkedLength(text), ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"]);
  if (found.length > CHAIN_CERTIFICATES_MAX) throw refused(`a plugin's own certificate has at most ${CHAIN_CERTIFICATES_MAX - 1} others behind it`);
  return found.map(({ text: block }) => block).join("");
}

/** The first key in a text. Throws `NetworkError`. */
export function ownKey(text: string): string {
  const [key] = blocks(checkedLength(text), KEY_LABELS);
  if (key === undefined) return "";
  if (key.text.length > KEY_TEXT_LENGTH_MAX) throw refused(`a private key has at most ${KEY_TEXT_LENGTH_MAX} characters, which RSA of 4096 bits needs`);
  // The old way of encrypting (RFC 1421) has one iteration, and says so in lines of its own.
  if (!key.body.includes(":")) checkIterations(Buffer.from(key.body, "base64"));
  return key.text;
}

function checkedLength(text: string): string {
  if (text.length > IDENTITY_TEXT_LENGTH_MAX) throw refused(`a plugin's own certificate or key has at most ${IDENTITY_TEXT_LENGTH_MAX} characters`);
  return text;
}

interface Block {
  readonly text: string;
  readonly body: string;
}

/** Blocks of PEM with one of these labels, in order. Linear in the text, however odd it is. */
function blocks(text: string, labels: readonly string[]): Block[] {
  const found: Block[] = [];
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at + 1)) {
    const label = /^[A-Z0-9 ]{1,40}(?=-----)/.exec(text.slice(at + BEGIN.length, at + BEGIN.length + LABEL_LENGTH_MAX))?.[0];
    if (label === undefined || !labels.includes(label)) continue;
    const from = at + BEGIN.length + label.length + DASHES.length;
    const to = text.indexOf(`-----END ${label}-----`, from);
    if (to < 0) break;
    const body = text.slice(from, to);
    found.push({ body, text: `${BEGIN}${label}-----${body}-----END ${label}-----\n` });
    at = to;
  }
  return found;
}

const BEGIN = "-----BEGIN ";
const DASHES = "-----";
const LABEL_LENGTH_MAX = 48;

/** Keys begin with a number; what is encrypted, with how. */
function checkIterations(der: Uint8Array): void {
  const [first] = readable(() => inside(elements(der)[0])) ?? [];
  if (first === undefined || first.tag === INTEGER) return;
  const iterations = first.tag === SEQUENCE ? readable(() => iterationsOf(inside(first))) : undefined;
  if (iterations === undefined) throw refused("of encrypted keys only those of PBES2 with PBKDF2 are read");
  if (iterations > KEY_ITERATIONS_MAX) throw refused(`the password of a private key has at most ${KEY_ITERATIONS_MAX} iterations`);
}

type Elements = ReturnType<typeof elements>;

/** Undefined: it is another scheme. */
function iterationsOf([scheme, parameters]: Elements): number | undefined {
  if (objectId(scheme) !== PBES2) return undefined;
  const [derivation, derivationParameters] = inside(inside(parameters)[0]);
  if (objectId(derivation) !== PBKDF2) return undefined;
  const count = inside(derivationParameters)[1];
  return count?.tag === INTEGER ? count.bytes.reduce((number, byte) => number * 256 + byte, 0) : undefined;
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const refused = (words: string): NetworkError => new NetworkError("SSL_ERROR", `[SSL] ${words}`);
