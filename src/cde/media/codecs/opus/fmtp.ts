/** `a=fmtp` of Opus (RFC 7587 6.1 and 7.1): how we pass one side's wishes to the other. */

/**
 * Wishes that may cross, with the values they may have. They bound what the other side sends; none changes what a packet
 * may hold. `sprop-stereo` and `sprop-maxcapturerate` tell of a sender, which on our legs is us.
 */
const crossing: Readonly<Record<string, RegExp>> = {
  maxplaybackrate: /^(8000|12000|16000|24000|48000)$/,
  maxaveragebitrate: /^\d{4,6}$/,
  cbr: /^[01]$/,
}

/**
 * Their parameters as we hand them on, with `useinbandfec=0` and `usedtx=0` said aloud: copies of the frame before
 * (RFC 6716 2.1.7) and frames left out do not go together with masking.
 * @param parameters the value of `a=fmtp` after the payload type; empty when there is none
 */
export function relayedOpusParameters(parameters: string): string {
  const kept: string[] = []
  for (const part of parameters.split(';')) {
    const [name = '', value = ''] = part.trim().toLowerCase().split('=')
    if (crossing[name]?.test(value) === true && !kept.some((other) => other.startsWith(`${name}=`))) {
      kept.push(`${name}=${value}`)
    }
  }
  return [...kept, 'useinbandfec=0', 'usedtx=0', 'stereo=0'].join(';')
}
