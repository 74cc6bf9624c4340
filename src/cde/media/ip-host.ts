/** IP literals of SDP, brought into the spelling in which sockets report their peers, so that the two can be compared. */

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

/** @returns the literal, IPv6 in its short lower-case form (RFC 5952); undefined for names and anything else */
export function ipHost(text: string): string | undefined {
  if (IPV4.test(text)) return text
  // The URL parser knows every spelling of IPv6 and writes the short one; it takes no zone after `%`, and neither do we.
  if (!/^[0-9A-Fa-f:.]{2,45}$/.test(text) || !text.includes(':')) return undefined
  return URL.parse(`http://[${text}]`)?.hostname.slice(1, -1)
}

/** `0.0.0.0` and `::`: nobody is there; the old spelling of hold (RFC 3264 8.4). Sending to it would reach this very host. */
export function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** 127.0.0.0/8 and ::1: never leaves this machine. */
export function isLoopback(host: string): boolean {
  return host === '::1' || (IPV4.test(host) && host.startsWith('127.'))
}

/** 224.0.0.0/4 and ff00::/8. */
export function isMulticast(host: string): boolean {
  return host.includes(':') ? host.startsWith('ff') : /^2(?:2[4-9]|3\d)\./.test(host)
}
