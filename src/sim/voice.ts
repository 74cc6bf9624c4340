/** Loads the recorded voices of `assets/voice`. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { simLimits } from '../lib/limits.ts'
import { parseWav } from '../lib/wav.ts'
import { RATE_HZ } from './audio-source.ts'

export interface Voices {
  readonly caller: Int16Array
  readonly agent: Int16Array
}

/**
 * @param assetsFolder holds `voice/caller.wav` and `voice/agent.wav`
 * @throws {Error} naming the file that is missing or is not 8 kHz 16-bit audio
 */
export async function loadVoices(assetsFolder: string): Promise<Voices> {
  const [caller, agent] = await Promise.all([
    loadVoice(join(assetsFolder, 'voice', 'caller.wav')),
    loadVoice(join(assetsFolder, 'voice', 'agent.wav')),
  ])
  return { caller, agent }
}

async function loadVoice(file: string): Promise<Int16Array> {
  const bytes = await readFile(file)
  if (bytes.length > simLimits.voiceFileOctetsMax) throw new Error(`${file} is too long for a voice clip`)
  const wav = parseWav(bytes)
  if (typeof wav === 'string') throw new Error(`${file} is no usable WAV file: ${wav}`)
  const [samples] = wav.samples
  if (wav.rateHz !== RATE_HZ || samples === undefined) throw new Error(`${file} must be 8 kHz audio`)
  return samples
}
