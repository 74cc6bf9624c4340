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

listen({
  onConnected: (connected) => clock.connectedIs(connected),
  onState: (state) => {
    document.body.dataset['call'] = state.call.state
    clock.stateIs(state.call.state)
    caller.stateIs(state.call.state)
    if (state.widget !== undefined) void agent.show(state.widget)
  },
  onFrame: (frame) => scope.frame(frame),
})
