import { testConnector } from '../contract.test-suite.ts'
import { openSandboxBench } from './sandbox.test-kit.ts'

testConnector('sandbox', openSandboxBench)
