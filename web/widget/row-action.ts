/** What the button of a row says and does, given the panel. */
import type { Field } from './contract.ts'
import { canOrder, isTaking, openField, type Panel } from './state.ts'

export interface RowAction {
  readonly verb: 'request' | 'request-all' | 'reset'
  readonly label: string
  readonly enabled: boolean
}

/** @returns undefined when the row needs no button: in one go, the caller comes to it by themselves */
export function rowAction(panel: Panel, field: Field, isFirst: boolean): RowAction | undefined {
  const taking = isTaking(panel)
  const enabled = canOrder(panel) && panel.busy === 'none' && (taking || panel.capture === undefined)
  if (panel.mode === 'continuous' && field.state === 'idle') {
    // Normally the card zone asks by itself; after too many errors nothing is asked and the agent goes on.
    if (taking) return openField(panel) === undefined ? { verb: 'request', label: 'Request', enabled } : undefined
    return isFirst ? { verb: 'request-all', label: 'Request all', enabled } : undefined
  }
  switch (field.state) {
    case 'idle':
      return { verb: 'request', label: 'Request', enabled }
    case 'error':
      return { verb: 'request', label: 'Request again', enabled }
    case 'collecting':
      // Resets the field and asks for it in one click: the caller is told to begin again.
      if (field.uncertain !== undefined) return { verb: 'request', label: 'Request again', enabled: enabled && taking }
      return { verb: 'reset', label: 'Reset', enabled: enabled && taking }
    case 'requested':
    case 'valid':
      return { verb: 'reset', label: 'Reset', enabled: enabled && taking }
  }
}
