/**
 * Looks for four-digit security codes in the memory of a process (Linux). A single code cannot be judged by its own count: four
 * digits turn up by chance, in ports, times and tables. So all codes are counted at once, in each form in which a program can
 * hold one, and the keyed code is judged against all the others (see memory-and-files-hold-no-card.test.ts).
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

/** `ascii`, `utf16`: exactly four digits in a row; `values`: octets 1–9; `smis`: elements of a JavaScript array of small integers. */
export const codeForms = ['ascii', 'utf16', 'values', 'smis'] as const
export type CodeForm = (typeof codeForms)[number]

/** How often each code from 0000 to 9999 was seen, by form. Codes with a 0 are not counted among `values` and `smis`. */
export type CodeCounts = Readonly<Record<CodeForm, Uint32Array>>

const CODES = 10_000
const CODE_DIGITS = 4
const CHUNK_OCTETS = 256 * 1_024
/** Longer than a code in any form, and a multiple of 8, so that chunks stay aligned. */
const OVERLAP_OCTETS = 64
const ZEROS = Buffer.alloc(OVERLAP_OCTETS + CHUNK_OCTETS)

/** @returns 'unavailable' where the system does not let us read the memory */
export function countCodes(pid: number): CodeCounts | 'unavailable' {
  const counts = {
    ascii: new Uint32Array(CODES),
    utf16: new Uint32Array(CODES),
    values: new Uint32Array(CODES),
    smis: new Uint32Array(CODES),
  }
  let memory: number
  try {
    memory = openSync(`/proc/${pid}/mem`, 'r')
  } catch {
    return 'unavailable'
  }
  try {
    for (const region of writableRegions(pid)) {
      for (const octets of chunksOf(memory, region)) {
        countText(octets, 1, counts.ascii)
        countText(octets, 2, counts.utf16)
        countValues(octets, counts.values)
        countSmis(octets, counts.smis)
      }
    }
  } finally {
    closeSync(memory)
  }
  return counts
}

/** The forms in which `code` was seen. */
export function formsOf(code: string, counts: CodeCounts): CodeForm[] {
  return codeForms.filter((form) => (counts[form][Number(code)] ?? 0) > 0)
}

interface Region {
  readonly from: number
  readonly to: number
}

/** What a program keeps its data in; files mapped into it and compiled code do not hold what a caller keyed. */
function writableRegions(pid: number): Region[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-.*$/gm)
  return [...lines].map(([, from = '', to = '']) => ({ from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) }))
}

function* chunksOf(memory: number, { from, to }: Region): Generator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(OVERLAP_OCTETS + CHUNK_OCTETS)
  let kept = 0
  for (let at = from; at < to; ) {
    let fresh: number
    try {
      fresh = readSync(memory, buffer, kept, Math.min(CHUNK_OCTETS, to - at), at)
    } catch {
      return
    }
    if (fresh === 0) return
    const chunk = buffer.subarray(0, kept + fresh)
    // Most of a process's address space was never touched.
    if (!ZEROS.subarray(0, chunk.length).equals(chunk)) yield chunk
    at += fresh
    const tail = Math.min(OVERLAP_OCTETS, kept + fresh)
    buffer.copyWithin(0, kept + fresh - tail, kept + fresh)
    kept = tail
  }
}

/** @param stride octets per character, little-endian; what else the character has must be zero */
function countText(octets: Uint8Array, stride: 1 | 2, counts: Uint32Array): void {
  let run = 0
  let code = 0
  for (let i = 0; i < octets.length; i += stride) {
    const digit = (octets[i] ?? 0) - 48
    if (digit >= 0 && digit <= 9 && (stride === 1 || octets[i + 1] === 0)) {
      run++
      code = (code * 10 + digit) % CODES
    } else {
      if (run === CODE_DIGITS) counts[code] = (counts[code] ?? 0) + 1
      run = 0
      code = 0
    }
  }
}

function countValues(octets: Uint8Array, counts: Uint32Array): void {
  let run = 0
  let code = 0
  for (const value of octets) {
    if (value >= 1 && value <= 9) {
      run++
      code = (code * 10 + value) % CODES
      if (run >= CODE_DIGITS) counts[code] = (counts[code] ?? 0) + 1
    } else {
      run = 0
      code = 0
    }
  }
}

/** V8 without pointer compression keeps a small integer in the upper half of eight octets. */
function countSmis(octets: Uint8Array, counts: Uint32Array): void {
  const words = new Uint32Array(octets.buffer, octets.byteOffset, octets.byteLength >> 2)
  let run = 0
  let code = 0
  for (let i = 0; i + 1 < words.length; i += 2) {
    const value = words[i + 1] ?? 0
    if (words[i] === 0 && value >= 1 && value <= 9) {
      run++
      code = (code * 10 + value) % CODES
      if (run >= CODE_DIGITS) counts[code] = (counts[code] ?? 0) + 1
    } else {
      run = 0
      code = 0
    }
  }
}
