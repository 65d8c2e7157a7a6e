/**
 * A certificate as Python's `getpeercert()` shows it, read from its DER (RFC 5280, X.690). The runtimes' own descriptions
 * lose the order of names and differ among each other.
 */
import { type Element, elements, inside, objectId } from "./der.ts";
import { PEER_CERTIFICATE_BYTES_MAX } from "./limits.ts";

type Name = readonly (readonly (readonly [name: string, value: string])[])[];

const CONSTRUCTED_0 = 0xa0;
const CONSTRUCTED_3 = 0xa3;
const CONSTRUCTED_4 = 0xa4;
const BOOLEAN = 0x01;
const UTC_TIME = 0x17;
const UNIVERSAL_STRING = 0x1c;
const BMP_STRING = 0x1e;
const UTF8_STRING = 0x0c;

/** OpenSSL's long names. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  "2.5.4.3": "commonName",
  "2.5.4.4": "surname",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "countryName",
  "2.5.4.7": "localityName",
  "2.5.4.8": "stateOrProvinceName",
  "2.5.4.9": "streetAddress",
  "2.5.4.10": "organizationName",
  "2.5.4.11": "organizationalUnitName",
  "2.5.4.12": "title",
  "2.5.4.13": "description",
  "2.5.4.15": "businessCategory",
  "2.5.4.17": "postalCode",
  "2.5.4.41": "name",
  "2.5.4.42": "givenName",
  "2.5.4.43": "initials",
  "2.5.4.44": "generationQualifier",
  "2.5.4.46": "dnQualifier",
  "2.5.4.97": "organizationIdentifier",
  "1.2.840.113549.1.9.1": "emailAddress",
  "0.9.2342.19200300.100.1.1": "userId",
  "0.9.2342.19200300.100.1.25": "domainComponent",
  "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionLocalityName",
  "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionStateOrProvinceName",
  "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionCountryName",
};

const SUBJECT_ALT_NAME = "2.5.29.17";
const CRL_DISTRIBUTION_POINTS = "2.5.29.31";
const AUTHORITY_INFORMATION = "1.3.6.1.5.5.7.1.1";
const OCSP = "1.3.6.1.5.5.7.48.1";
const CA_ISSUERS = "1.3.6.1.5.5.7.48.2";
const URI = 0x86;

/** Undefined when the bytes are no certificate, or more of one than `PEER_CERTIFICATE_BYTES_MAX`. */
export function describeCertificate(der: Uint8Array): Record<string, unknown> | undefined {
  try {
    return der.length === 0 || der.length > PEER_CERTIFICATE_BYTES_MAX ? undefined : describe(der);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function describe(der: Uint8Array): Record<string, unknown> {
  const [certificate] = elements(der);
  const [tbs] = inside(certificate);
  const fields = inside(tbs);
  const version = fields[0]?.tag === CONSTRUCTED_0 ? inside(fields.shift())[0] : undefined;
  const [serial, , issuer, validity, subject] = fields;
  const [notBefore, notAfter] = inside(validity);
  const extensions = extensionsOf(fields.find(({ tag }) => tag === CONSTRUCTED_3));
  const altNames = inside(extensions.get(SUBJECT_ALT_NAME)).map(generalName);
  const access = inside(extensions.get(AUTHORITY_INFORMATION)).map(inside);
  const uris = (method: string): string[] => access.flatMap(([id, place]) => (place?.tag === URI && objectId(id) === method ? [latin1(place.bytes)] : []));
  const lists = inside(extensions.get(CRL_DISTRIBUTION_POINTS)).flatMap((point) => inside(inside(inside(point)[0])[0])).filter(({ tag }) => tag === URI);
  return {
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    version: 1 + (version?.bytes[0] ?? 0),
    serialNumber: serialText(serial),
    notBefore: timeText(notBefore),
    notAfter: timeText(notAfter),
    ...someOf("subjectAltName", altNames),
    ...someOf("OCSP", uris(OCSP)),
    ...someOf("caIssuers", uris(CA_ISSUERS)),
    ...someOf("crlDistributionPoints", lists.map(({ bytes }) => latin1(bytes))),
  };
}

const someOf = (name: string, values: readonly unknown[]): Record<string, unknown> => (values.length === 0 ? {} : { [name]: values });

function extensionsOf(element: Element | undefined): Map<string, Element | undefined> {
  const list = inside(inside(element)[0]).map((extension): [string, Element | undefined] => {
    const [id, ...rest] = inside(extension);
    return [objectId(id), inside(rest.find(({ tag }) => tag !== BOOLEAN))[0]];
  });
  return new Map(list);
}

function nameOf(element: Element | undefined): Name {
  return inside(element).map((relative) =>
    inside(relative).map((pair): [string, string] => {
      const [id, value] = inside(pair);
      const dotted = objectId(id);
      return [ATTRIBUTES[dotted] ?? dotted, textOf(value)];
    }),
  );
}

function generalName({ tag, bytes }: Element): readonly [kind: string, value: unknown] {
  switch (tag) {
    case 0x81:
      return ["email", latin1(bytes)];
    case 0x82:
      return ["DNS", latin1(bytes)];
    case CONSTRUCTED_4:
      return ["DirName", nameOf(elements(bytes)[0])];
    case URI:
      return ["URI", latin1(bytes)];
    case 0x87:
      return ["IP Address", addressText(bytes)];
    case 0x88:
      return ["Registered ID", objectId({ tag, bytes })];
    default:
      return ["othername", "<unsupported>"];
  }
}

/** IPv6 in full and in capitals, as OpenSSL writes it here. */
function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return "<invalid>";
  return Array.from({ length: 8 }, (_, index) => (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16).toUpperCase()).join(":");
}

const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

function textOf(element: Element | undefined): string {
  if (element === undefined) return "";
  const { tag, bytes } = element;
  if (tag === UTF8_STRING) return new TextDecoder().decode(bytes);
  const width = tag === BMP_STRING ? 2 : tag === UNIVERSAL_STRING ? 4 : 1;
  if (width === 1) return latin1(bytes);
  const points: number[] = [];
  for (let at = 0; at + width <= bytes.length; at += width) points.push(bytes.subarray(at, at + width).reduce((point, byte) => point * 256 + byte, 0));
  return String.fromCodePoint(...points);
}

function serialText(element: Element | undefined): string {
  const digits = Array.from(element?.bytes ?? [], (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();
  return digits.length > 2 && digits.startsWith("00") ? digits.slice(2) : digits;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Jan  5 09:34:43 2018 GMT`. */
function timeText(element: Element | undefined): string {
  if (element === undefined) return "";
  const digits = latin1(element.bytes);
  const full = element.tag === UTC_TIME ? `${Number(digits.slice(0, 2)) < 50 ? "20" : "19"}${digits}` : digits;
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full) ?? [];
  if (year === undefined) return "";
  return `${MONTHS[Number(month) - 1]} ${String(Number(day)).padStart(2, " ")} ${hour}:${minute}:${second} ${year} GMT`;
}
