/**
 * The preload: `node --import mercurius-performance/register app.js`, or the first import of the main file. It starts
 * measuring before the application loads what is measured.
 */
import { PerformanceError } from './errors.js'
import { hasSpanSource, markSpanSource, processMonitor } from './process-monitor.js'
import { startTelemetry } from './spans/telemetry.js'

function register(): void {
  if (hasSpanSource()) return
  const monitor = processMonitor()
  if (!monitor.config.enabled) return
  monitor.exporting = startTelemetry(monitor)
  markSpanSource()
}

try {
  register()
} catch (error) {
  if (!(error instanceof PerformanceError)) throw error
  process.stderr.write(`${error.code}: ${error.message}\n`)
  process.exit(1)
}
