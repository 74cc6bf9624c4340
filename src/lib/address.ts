/** A transport address: IP literal (or host name where a function says so) and UDP/TCP port 1–65535. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** True when both name the same host and port. Hosts are compared as written: pass IP literals. */
export function sameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.host === b.host
}
