/**
 * Looks for card numbers in the memory of a running process, through /proc/PID/maps and /proc/PID/mem (Linux). It counts
 * and never prints what it looks for; the patterns exist in the scanning process only.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

export type PatternForm = 'ascii' | 'utf16' | 'values'

export interface MemoryScan {
  /** Octets that could be read: a scan that saw little proves little. */
  readonly octetsRead: number
  readonly copies: Readonly<Record<PatternForm, number>>
}

const CHUNK_OCTETS = 4 * 1_024 * 1_024

/** The forms in which a number may lie in memory: characters of one or two octets, or values 0–9. */
export function patternsOf(number: string): Readonly<Record<PatternForm, Buffer>> {
  return {
    ascii: Buffer.from(number, 'latin1'),
    utf16: Buffer.from(number, 'utf16le'),
    values: Buffer.from(Array.from(number, Number)),
  }
}

/**
 * Counts the copies of `number` in all readable memory of process `pid`, which should be at rest meanwhile.
 * As values, regular numbers occur in every Node process by chance (4242424242424242 some 28 times): take 5105105105105100
 * or another one that a scan beforehand does not find.
 * @returns 'unavailable' where the system has no /proc or does not let us read it: skip with that reason, do not pass
 */
export function scanMemory(pid: number, number: string): MemoryScan | 'unavailable' {
  const patterns = patternsOf(number)
  const copies = { ascii: 0, utf16: 0, values: 0 }
  let octetsRead = 0
  let memory: number
  try {
    memory = openSync(`/proc/${pid}/mem`, 'r')
  } catch {
    return 'unavailable'
  }
  try {
    const overlap = Math.max(...Object.values(patterns).map((pattern) => pattern.length)) - 1
    for (const region of readableRegions(pid)) {
      for (const { chunk, fresh } of chunksOf(memory, region, overlap)) {
        octetsRead += fresh
        for (const form of ['ascii', 'utf16', 'values'] as const) {
          copies[form] += occurrences(chunk, patterns[form], chunk.length - fresh)
        }
      }
    }
  } catch {
    return 'unavailable'
  } finally {
    closeSync(memory)
  }
  return octetsRead === 0 ? 'unavailable' : { octetsRead, copies }
}

interface Region {
  readonly from: number
  readonly to: number
}

/** Runs of pages that exist: most of a Node process is address space that was reserved and never touched. */
function readableRegions(pid: number): Region[] {
  const regions: Region[] = []
  const pageOctets = systemPageOctets()
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r')
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const match = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line)
      // The kernel's own pages are mapped into every process and cannot be read through mem.
      if (!match || /\[v(var|syscall|dso)/.test(line)) continue
      const from = Number.parseInt(match[1] ?? '', 16)
      regions.push(...presentRuns(pagemap, pageOctets, { from, to: Number.parseInt(match[2] ?? '', 16) }))
    }
  } finally {
    closeSync(pagemap)
  }
  return regions
}

function presentRuns(pagemap: number, pageOctets: number, region: Region): Region[] {
  const runs: { from: number; to: number }[] = []
  const entries = Buffer.alloc(((region.to - region.from) / pageOctets) * 8)
  const octets = readAt(pagemap, entries, 0, entries.length, (region.from / pageOctets) * 8)
  for (let entry = 0; entry + 8 <= octets; entry += 8) {
    // proc(5), pagemap: bit 63 page present, bit 62 page in swap. Both lie in the last octet.
    if (((entries[entry + 7] ?? 0) & 0xc0) === 0) continue
    const at = region.from + (entry / 8) * pageOctets
    const last = runs.at(-1)
    if (last?.to === at) last.to += pageOctets
    else runs.push({ from: at, to: at + pageOctets })
  }
  return runs
}

/** AT_PAGESZ, key 6 of the auxiliary vector: pairs of 64-bit numbers, getauxval(3). */
function systemPageOctets(): number {
  const vector = readFileSync('/proc/self/auxv')
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === 6n) return Number(vector.readBigUInt64LE(at + 8))
  }
  return 4_096
}

/** The region piece by piece; each piece begins with the last `overlap` octets of the one before, so that no copy is cut. */
function* chunksOf(memory: number, region: Region, overlap: number): Generator<{ chunk: Buffer; fresh: number }> {
  const buffer = Buffer.allocUnsafeSlow(overlap + CHUNK_OCTETS)
  let kept = 0
  for (let at = region.from; at < region.to; ) {
    const fresh = readAt(memory, buffer, kept, Math.min(CHUNK_OCTETS, region.to - at), at)
    if (fresh === 0) break
    yield { chunk: buffer.subarray(0, kept + fresh), fresh }
    at += fresh
    const tail = Math.min(overlap, kept + fresh)
    buffer.copyWithin(0, kept + fresh - tail, kept + fresh)
    kept = tail
  }
  // What was read may hold the number: it must not lie about in the scanning process for a later scan of that one.
  buffer.fill(0)
}

/** @returns octets read; 0 when the pages behind a mapping cannot be read (a file that has shrunk, a device) */
function readAt(memory: number, buffer: Buffer, offset: number, octets: number, at: number): number {
  try {
    return readSync(memory, buffer, offset, octets, at)
  } catch {
    return 0
  }
}

/** Copies that end in the fresh part: one that lies wholly in the kept part was counted with the chunk before. */
function occurrences(chunk: Buffer, pattern: Buffer, keptOctets: number): number {
  let count = 0
  for (let at = chunk.indexOf(pattern); at !== -1; at = chunk.indexOf(pattern, at + 1)) {
    if (at + pattern.length > keptOctets) count += 1
  }
  return count
}
