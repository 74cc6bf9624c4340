/**
 * What a caller sends in a call: speech, silence and keys in a row, 8 kHz. The same script gives the audio of all carriages.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { toBaseRate } from '../../src/cde/media/resample.ts'
import { parseWav } from '../../src/lib/wav.ts'
import { SAMPLES_PER_MS, type Span } from './audio.ts'

export type Carriage = 'in-band' | 'event' | 'both'

export type Part =
  | { readonly speechMs: number }
  | { readonly silenceMs: number }
  | { readonly keys: string; readonly carriage: Carriage; readonly toneMs?: number; readonly pauseMs?: number }

/** A key press that travels as RFC 4733 events, at a place of the audio's time. */
export interface EventPress extends Span {
  /** RFC 4733 3.2: 0–9, 10 for `*`, 11 for `#`. */
  readonly event: number
}

export interface CallAudio {
  readonly samples: Int16Array
  /** Where speech is, one span per part, without the half tenth of a second at either end that borders on a key. */
  readonly speech: readonly Span[]
  readonly presses: readonly EventPress[]
}

const TONE_MS = 80
const PAUSE_MS = 80
const SPEECH_MARGIN_MS = 50
/** Both tones at −9 dBm0: peak of each, with A-law's overload point at +3.14 dBm0. */
const TONE_PEAK = 32_767 * 10 ** ((-9 - 3.14) / 20)
const KEYS = '0123456789*#'
const ROWS_HZ = [697, 770, 852, 941]
const COLUMNS_HZ = [1209, 1336, 1477]
const PAD = ['123', '456', '789', '*0#']

/** Puts the parts one after the other. @param voice speech to draw from; it starts anew when it is used up */
export function composeCall(parts: readonly Part[], voice: Int16Array): CallAudio {
  const pieces: Int16Array[] = []
  const speech: Span[] = []
  const presses: EventPress[] = []
  let at = 0
  let voiceAt = 0
  const add = (piece: Int16Array): Span => {
    pieces.push(piece)
    at += piece.length
    return { fromSample: at - piece.length, toSample: at }
  }
  for (const part of parts) {
    if ('speechMs' in part) {
      const length = part.speechMs * SAMPLES_PER_MS
      const span = add(Int16Array.from({ length }, (_, i) => voice[(voiceAt + i) % voice.length] ?? 0))
      voiceAt += length
      const margin = SPEECH_MARGIN_MS * SAMPLES_PER_MS
      speech.push({ fromSample: span.fromSample + margin, toSample: span.toSample - margin })
    } else if ('silenceMs' in part) {
      add(new Int16Array(part.silenceMs * SAMPLES_PER_MS))
    } else {
      for (const key of part.keys) {
        const length = (part.toneMs ?? TONE_MS) * SAMPLES_PER_MS
        const span = add(part.carriage === 'event' ? new Int16Array(length) : tone(key, length))
        if (part.carriage !== 'in-band') presses.push({ ...span, event: KEYS.indexOf(key) })
        add(new Int16Array((part.pauseMs ?? PAUSE_MS) * SAMPLES_PER_MS))
      }
    }
  }
  const samples = new Int16Array(at)
  let offset = 0
  for (const piece of pieces) {
    samples.set(piece, offset)
    offset += piece.length
  }
  return { samples, speech, presses }
}

function tone(key: string, length: number): Int16Array {
  const row = PAD.findIndex((keys) => keys.includes(key))
  const rowHz = ROWS_HZ[row]
  const columnHz = COLUMNS_HZ[PAD[row]?.indexOf(key) ?? -1]
  if (rowHz === undefined || columnHz === undefined) throw new Error('not a key of a telephone')
  const radians = (hz: number, i: number): number => (2 * Math.PI * hz * i) / (SAMPLES_PER_MS * 1_000)
  return Int16Array.from(
    { length },
    (_, i) => TONE_PEAK * (Math.sin(radians(rowHz, i)) + Math.sin(radians(columnHz, i))),
  )
}

const RECORDED = '/usr/share/asterisk/sounds/en_US_f_Allison/'
const RECORDED_FILES = ['demo-nogo.wav', 'dir-usingkeypad.wav', 'queue-youarenext.wav']
const SYNTHETIC = fileURLToPath(new URL('../../assets/voice/caller.wav', import.meta.url))

/** Human speech of Debian's prompts where they are installed (CC-BY-SA: read in place), else the project's synthetic voice. */
export async function loadVoice(): Promise<Int16Array> {
  const recorded = RECORDED_FILES.map((name) => RECORDED + name)
  const files = recorded.every((file) => existsSync(file)) ? recorded : [SYNTHETIC]
  const pieces = await Promise.all(files.map(readMono))
  return Int16Array.from(pieces.flatMap((piece) => [...piece]))
}

/** The samples of a mono file, at 8 kHz whatever its own rate. */
export async function readMono(file: string): Promise<Int16Array> {
  const wav = parseWav(await readFile(file))
  if (typeof wav === 'string') throw new Error(`${file}: ${wav}`)
  const [samples] = wav.samples
  if (samples === undefined || wav.channels !== 1) throw new Error(`${file}: not mono`)
  return toBaseRate(samples, wav.rateHz)
}
