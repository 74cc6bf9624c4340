/** The relay's two ports of one call: packets that arrive on one leave by the other. */
export interface CallPorts {
  readonly caller: number
  readonly agent: number
}

export interface RelayUnderTest {
  readonly pid: number
  readonly ports: readonly CallPorts[]
  close(): Promise<void>
}
