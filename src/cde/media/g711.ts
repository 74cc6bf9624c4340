/** G.711 for RTP payloads. The tables are in lib, because recordings use the same codec. */
export { decodeG711, encodeG711, type G711Codec, silenceOctet, transcodeG711 } from '../../lib/g711.ts'
