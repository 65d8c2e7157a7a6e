/** What tokens need of the machine: randomness for new ones, SHA-512 for all. */
export interface TokenSource {
  /** A new token's text, from a secure source. */
  newToken(): string;
  /** SHA-512 of the UTF-8 text, 128 lower-case hex digits. */
  hash(text: string): string;
}
