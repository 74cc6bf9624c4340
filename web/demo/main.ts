/** The demo page: three panes and the line between them. */
import { AgentPane } from './agent-pane.ts'
import { CallClock } from './call-clock.ts'
import { CallerPane } from './caller-pane.ts'
import { Scope } from './scope.ts'
import { listen } from './simulators.ts'

const scope = new Scope()
const clock = new CallClock()
const caller = new CallerPane()
const agent = new AgentPane({
  onField: (field, state) => caller.fieldIs(field, state),
  onSecured: (secured) => {
    document.body.dataset['line'] = secured ? 'secured' : 'open'
    if (!secured) caller.captureEnded()
  },
})

/** A call that ended before the page was opened is nothing to look at: the page begins with its greeting. */
let seenLive = false

listen({
  onConnected: (connected) => clock.connectedIs(connected),
  onState: (state) => {
    seenLive ||= state.call.state !== 'idle' && state.call.state !== 'ended'
    const call = seenLive ? state.call.state : 'idle'
    document.body.dataset['call'] = call
    clock.stateIs(call)
    caller.stateIs(call)
    if (state.widget !== undefined && seenLive) void agent.show(state.widget)
  },
  onFrame: (frame) => scope.frame(frame),
})
