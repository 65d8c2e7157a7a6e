/**
 * What is wrong with a text that is no JSON, in the words and with the position of the reference's decoder (serde_json), the same on
 * every runtime: each engine's own `SyntaxError` says something else. Only asked after `JSON.parse` refused the text.
 */

/** Lists and objects in each other, as many as the reference reads; also what bounds the recursion here. */
const DEPTH_MAX = 127;

class Fault extends Error {}

/** Such as ``expected `:` at line 1 column 7``; columns count bytes, as in the reference. Undefined: it is JSON. */
export function describeJsonFault(bytes: Uint8Array): string | undefined {
  try {
    new JsonReader(bytes).readDocument();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

const code = (character: string): number => character.charCodeAt(0);
const QUOTE = code('"');
const BACKSLASH = code("\\");
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= code("0") && byte <= code("9");
const isHex = (byte: number | undefined): boolean => byte !== undefined && /[0-9a-fA-F]/.test(String.fromCharCode(byte));

class JsonReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  readDocument(): void {
    this.#readValue(0);
    if (this.#peek() !== undefined) throw this.#fault("trailing characters");
  }

  /** Names the place of the current byte: lines from 1, and a line end begins one. */
  #fault(text: string): Fault {
    let line = 1;
    let column = 0;
    for (const byte of this.#bytes.subarray(0, this.#at + 1)) {
      column++;
      if (byte === code("\n")) [line, column] = [line + 1, 0];
    }
    return new Fault(`${text} at line ${line} column ${column}`);
  }

  get #here(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** The next byte that is no white space. */
  #peek(): number | undefined {
    while (this.#here === 0x20 || this.#here === 0x09 || this.#here === 0x0a || this.#here === 0x0d) this.#at++;
    return this.#here;
  }

  #readValue(depth: number): void {
    const first = this.#peek();
    if (first === undefined) throw this.#fault("EOF while parsing a value");
    if (first === QUOTE) return this.#readString();
    if (first === code("-") || isDigit(first)) return this.#readNumber();
    if (first === code("[") || first === code("{")) {
      if (depth === DEPTH_MAX) throw this.#fault("recursion limit exceeded");
      this.#at++;
      return first === code("[") ? this.#readList(depth + 1) : this.#readObject(depth + 1);
    }
    const word = { n: "null", t: "true", f: "false" }[String.fromCharCode(first)];
    if (word === undefined) throw this.#fault("expected value");
    for (const character of word) {
      if (this.#here === undefined) throw this.#fault("EOF while parsing a value");
      if (this.#here !== code(character)) throw this.#fault("expected ident");
      this.#at++;
    }
  }

  #readList(depth: number): void {
    for (let isFirst = true; ; isFirst = false) {
      if (this.#peek() === undefined) throw this.#fault("EOF while parsing a list");
      if (this.#here === code("]")) break;
      if (!isFirst) this.#readComma("]");
      this.#readValue(depth);
    }
    this.#at++;
  }

  #readObject(depth: number): void {
    for (let isFirst = true; ; isFirst = false) {
      if (this.#peek() === undefined) throw this.#fault("EOF while parsing an object");
      if (this.#here === code("}")) break;
      if (!isFirst) this.#readComma("}");
      if (this.#here !== QUOTE) throw this.#fault("key must be a string");
      this.#readString();
      if (this.#peek() === undefined) throw this.#fault("EOF while parsing an object");
      if (this.#here !== code(":")) throw this.#fault("expected `:`");
      this.#at++;
      this.#readValue(depth);
    }
    this.#at++;
  }

  #readComma(end: "]" | "}"): void {
    if (this.#here !== code(",")) throw this.#fault(`expected \`,\` or \`${end}\``);
    this.#at++;
    if (this.#peek() === undefined) throw this.#fault("EOF while parsing a value");
    if (this.#here === code(end)) throw this.#fault("trailing comma");
  }

  #readString(): void {
    this.#at++;
    for (;;) {
      const byte = this.#here;
      if (byte === undefined) throw this.#fault("EOF while parsing a string");
      if (byte < 0x20) throw this.#fault("control character (\\u0000-\\u001F) found while parsing a string");
      this.#at++;
      if (byte === QUOTE) return;
      if (byte === BACKSLASH) this.#readEscape();
    }
  }

  #readEscape(): void {
    const byte = this.#here;
    if (byte === undefined) throw this.#fault("EOF while parsing a string");
    if (!'"\\/bfnrtu'.includes(String.fromCharCode(byte))) throw this.#fault("invalid escape");
    this.#at++;
    if (byte !== code("u")) return;
    for (let digit = 0; digit < 4; digit++, this.#at++) {
      if (this.#here === undefined) throw this.#fault("EOF while parsing a string");
      if (!isHex(this.#here)) throw this.#fault("invalid escape");
    }
  }

  #readNumber(): void {
    if (this.#here === code("-")) this.#at++;
    if (this.#here === code("0")) {
      this.#at++;
      if (isDigit(this.#here)) throw this.#fault("invalid number");
    } else this.#readDigits();
    if (this.#here === code(".")) {
      this.#at++;
      this.#readDigits();
    }
    if (this.#here === code("e") || this.#here === code("E")) {
      this.#at++;
      if (this.#here === code("+") || this.#here === code("-")) this.#at++;
      this.#readDigits();
    }
  }

  #readDigits(): void {
    if (this.#here === undefined) throw this.#fault("EOF while parsing a value");
    if (!isDigit(this.#here)) throw this.#fault("invalid number");
    while (isDigit(this.#here)) this.#at++;
  }
}
