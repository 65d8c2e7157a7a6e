// Values to codes in the order of their first use.
import { CODES, DICTIONARY, DICTIONARY_MAX, INPUT, SLOT_MASK, SLOTS_AT } from "./layout";

/** After so many rows a dictionary that is nearly as long as the rows is given up. */
const PROBE_ROWS: u32 = 4_096;

function forget(): void {
  memory.fill(SLOTS_AT, 0, (SLOT_MASK + 1) << 2);
}

/** Of 64-bit values, with their codes; 0: not worth it. */
export function wordDictionary(count: u32): u32 {
  const entriesMax = min(DICTIONARY_MAX, count >> 1);
  let entries: u32 = 0;
  let lastValue: u64 = 0;
  let lastCode: u32 = 0;
  forget();
  for (let row: u32 = 0; row < count; row++) {
    const value = load<u64>(INPUT + (row << 3));
    if (row == 0 || value != lastValue) {
      if (row == PROBE_ROWS && entries > (PROBE_ROWS * 3) / 4) return 0;
      let slot = <u32>((value * 0x9e3779b97f4a7c15) >> 47) & SLOT_MASK;
      let code = load<u32>(SLOTS_AT + (slot << 2));
      while (code != 0 && load<u64>(DICTIONARY + ((code - 1) << 3)) != value) {
        slot = (slot + 1) & SLOT_MASK;
        code = load<u32>(SLOTS_AT + (slot << 2));
      }
      if (code == 0) {
        if (entries == entriesMax) return 0;
        store<u64>(DICTIONARY + (entries << 3), value);
        code = ++entries;
        store<u32>(SLOTS_AT + (slot << 2), code);
      }
      lastValue = value;
      lastCode = code - 1;
    }
    store<u32>(CODES + (row << 2), lastCode);
  }
  return entries;
}

/** Of the host's codes, which need not be dense: the number of different ones. */
export function codeDictionary(count: u32): u32 {
  let entries: u32 = 0;
  let lastValue: u32 = 0;
  let lastCode: u32 = 0;
  forget();
  for (let row: u32 = 0; row < count; row++) {
    const value = load<u32>(INPUT + (row << 2));
    if (row == 0 || value != lastValue) {
      let slot = ((value * 0x9e3779b1) >> 15) & SLOT_MASK;
      let code = load<u32>(SLOTS_AT + (slot << 2));
      while (code != 0 && load<u32>(DICTIONARY + ((code - 1) << 2)) != value) {
        slot = (slot + 1) & SLOT_MASK;
        code = load<u32>(SLOTS_AT + (slot << 2));
      }
      if (code == 0) {
        store<u32>(DICTIONARY + (entries << 2), value);
        code = ++entries;
        store<u32>(SLOTS_AT + (slot << 2), code);
      }
      lastValue = value;
      lastCode = code - 1;
    }
    store<u32>(CODES + (row << 2), lastCode);
  }
  return entries;
}
