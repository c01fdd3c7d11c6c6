/** To be imported first: starts measuring in this test's process, as the preload does, with a known environment. */
import './environment.js'
import { hasSpanSource, markSpanSource, processMonitor } from '../src/process-monitor.js'
import { startTelemetry } from '../src/spans/telemetry.js'

// Not by src/register.ts, which loads what the build has made of the rest.
if (!hasSpanSource()) {
  const monitor = processMonitor()
  monitor.exporting = startTelemetry(monitor)
  markSpanSource()
}
