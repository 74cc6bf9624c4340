/** The coders of each codec. Apart from the list of codecs, so that who only reads SDP does not load them. */
import type { AudioDecoder, AudioEncoder } from './codec.ts'
import { G711Decoder, G711Encoder } from './g711/g711.ts'
import { G722Decoder, G722Encoder } from './g722/g722.ts'
import { OpusDecoder, OpusEncoder } from './opus/opus.ts'
import { type SpeechCodec, speechCodecs } from './speech-codecs.ts'

export function newDecoder(codec: SpeechCodec): AudioDecoder {
  if (codec === 'G722') return new G722Decoder()
  return codec === 'opus' ? new OpusDecoder(speechCodecs.opus.sampleRateHz) : new G711Decoder(codec)
}

export function newEncoder(codec: SpeechCodec): AudioEncoder {
  if (codec === 'G722') return new G722Encoder()
  return codec === 'opus' ? new OpusEncoder(speechCodecs.opus.sampleRateHz) : new G711Encoder(codec)
}

/** 20 ms of silence. */
export function silentPayload(codec: SpeechCodec): Uint8Array {
  // RFC 7587 3.1.3: a frame of one octet; this one is wide-band SILK of 20 ms (RFC 6716 3.1, table 2).
  if (codec === 'opus') return Uint8Array.of(9 << 3)
  const encoder = newEncoder(codec)
  const payload = new Uint8Array(160)
  encoder.encode(new Int16Array(encoder.sampleRateHz / 50), payload)
  return payload
}
