import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import autocannon from 'autocannon'
import { fetchKnownIds } from './load-ids.js'
import { pickOperation, type KnownIds } from './load-operations.js'
import { readLoadOptions, type LoadOptions } from './load-options.js'
import { progressLine, resultTable, type LoadCounts } from './load-report.js'
import { StartError } from './settings.js'
import { metricsCommand } from './welcome.js'

try {
  const options = readLoadOptions(process.argv.slice(2))
  const ids = await fetchKnownIds(options.url)
  console.log(`${options.connections} connections for ${options.seconds} s against ${options.url}`)
  const counts = await drive(options, ids)
  console.log(`\n${resultTable(counts)}\n`)
  console.log(howToAsk(options.url))
  if (counts.errors + counts.non2xx + counts.graphqlErrors > 0) process.exitCode = 1
} catch (error) {
  console.error(error instanceof StartError ? error.message : error)
  process.exit(1)
}

function howToAsk(url: string): string {
  return process.env.PERFORMANCE_ADMIN_TOKEN === undefined
    ? 'Ask what it cost with the curl command that npm start printed.'
    : `Ask what it cost:\n${metricsCommand(url)}`
}

async function drive({ url, seconds, connections }: LoadOptions, ids: KnownIds): Promise<LoadCounts> {
  const latency = createHistogram()
  const started = performance.now()
  let graphqlErrors = 0
  const request: autocannon.Request = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    setupRequest: prepared => ({ ...prepared, body: JSON.stringify(pickOperation(ids)) }),
    onResponse: (_status, body) => {
      // Quotes inside of values are escaped, so this can only be the key; parsing every answer would cost the load.
      if (body.includes('"errors":[')) graphqlErrors += 1
    }
  }
  const running = autocannon({ url, connections, duration: seconds, requests: [request] })
  const stop = (): void => {
    ;(running as unknown as autocannon.Instance).stop()
  }
  process.once('SIGINT', stop)
  observe(running as unknown as autocannon.Instance, latency, started)
  const result = await running
  process.off('SIGINT', stop)
  return {
    requests: result.requests.total,
    seconds: (performance.now() - started) / 1_000,
    latency,
    errors: result.errors,
    non2xx: result.non2xx,
    graphqlErrors
  }
}

function observe(running: autocannon.Instance, latency: RecordableHistogram, started: number): void {
  running.on('response', (_client, _status, _bytes, milliseconds) => {
    latency.record(Math.max(1, Math.round(milliseconds * 1_000)))
  })
  // Once a second. Lines that are only ever appended can also be read from a file or a CI log.
  running.on('tick', () => {
    console.log(progressLine((performance.now() - started) / 1_000, latency))
  })
}
