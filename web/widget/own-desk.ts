/** An order takes seconds, and meanwhile the page may give the panel another call. */
import type { Desk } from './orders.ts'
import { reduce } from './state.ts'

/**
 * The desk of an order that is given now: what the order learns goes to the panel as long as that is still the one it was given
 * on, and from then on to a copy that nobody sees.
 */
export function ownDesk(desk: Desk, isCurrent: () => boolean): Desk {
  let own = desk.panel()
  const panel: Desk['panel'] = () => {
    if (isCurrent()) own = desk.panel()
    return own
  }
  return {
    ...desk,
    panel,
    apply(action) {
      if (isCurrent()) desk.apply(action)
      own = isCurrent() ? desk.panel() : reduce(own, action)
    },
  }
}
