/**
 * The preload: `node --import mercurius-performance/register app.js`, or the first import of the main file. It starts
 * measuring before the application loads what is measured.
 */
import { createRequire } from 'node:module'
import { PerformanceError } from './errors.js'
import {
  hasSpanSource,
  isSdkDisabled,
  markSpanSource,
  markSwitchedOff,
  processMonitor,
  SDK_DISABLED
} from './process-monitor.js'
import type * as Readers from './metrics/readers.js'
import type * as Telemetry from './spans/telemetry.js'

function register(): void {
  if (hasSpanSource()) return
  const monitor = processMonitor()
  if (!monitor.config.enabled) {
    markSwitchedOff('PERFORMANCE_ENABLED=false')
    return
  }
  // With the SDK off, resolvers would be measured and queries would not.
  if (isSdkDisabled()) {
    markSwitchedOff(SDK_DISABLED)
    return
  }
  // Loaded here, so that a process in which measuring is switched off does not hold the SDK; not awaited, so that an
  // application may require this file.
  const load = createRequire(import.meta.url)
  const { startTelemetry } = load('./spans/telemetry.js') as typeof Telemetry
  const { metricExportFromEnvironment } = load('./metrics/readers.js') as typeof Readers
  monitor.exporting = startTelemetry(monitor, () => metricExportFromEnvironment(monitor.store))
  markSpanSource()
}

try {
  register()
} catch (error) {
  if (!(error instanceof PerformanceError)) throw error
  process.stderr.write(`${error.code}: ${error.message}\n`)
  process.exit(1)
}
