import { readFileSync } from 'node:fs'
import { createHistogram } from 'node:perf_hooks'
import autocannon from 'autocannon'
import { MEBIBYTE } from '../heap.js'

const PAGE = 4096
/** Linux counts CPU time for programs in these, whatever its own clock does. */
const TICKS_A_SECOND = 100

/** What is asked, and how each answer that is right begins. */
export interface Asked {
  readonly query: string
  readonly answer: string
}

const LABELS: Asked = { query: 'query Labels { labels { id name } }', answer: '{"data":{"labels":[' }

/** What a window of load has seen. */
export interface Window {
  readonly requests: number
  /** Answers that were not 200 with data, and requests without an answer. */
  readonly failed: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** MiB, the largest of the window. */
  readonly memory: number
  /** Microseconds of CPU time of the Tracker a request. */
  readonly cpu: number
}

/** Sends `rate` requests a second to the Tracker at `url`, whose process is `pid`, for `seconds`. */
export async function drive(
  url: string,
  pid: number,
  rate: number,
  seconds: number,
  { query, answer }: Asked = LABELS
): Promise<Window> {
  const latency = createHistogram()
  let failed = 0
  let memory = 0
  const cpuBefore = cpuOf(pid)
  const running = autocannon({
    url,
    connections: 20,
    overallRate: rate,
    duration: seconds,
    requests: [
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
        onResponse: (status, body) => {
          if (status !== 200 || !body.startsWith(answer)) failed += 1
        }
      }
    ]
  })
  const instance = running as unknown as autocannon.Instance
  instance.on('response', (_client, _status, _bytes, milliseconds) => {
    latency.record(Math.max(1, Math.round(milliseconds * 1_000)))
  })
  const watch = setInterval(() => {
    memory = Math.max(memory, residentOf(pid))
  }, 200)
  const { errors, timeouts } = await running
  clearInterval(watch)
  return {
    requests: latency.count,
    failed: failed + errors + timeouts,
    p50: latency.percentile(50) / 1_000,
    p99: latency.percentile(99) / 1_000,
    memory,
    cpu: (cpuOf(pid) - cpuBefore) / latency.count
  }
}

/** Empty where the process is gone. */
function readOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** Microseconds of CPU time, in user and kernel mode. */
function cpuOf(pid: number): number {
  // What comes before the closing parenthesis may hold spaces.
  const fields = readOf(pid, 'stat').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * (1e6 / TICKS_A_SECOND)
}

function residentOf(pid: number): number {
  const [, pages = '0'] = readOf(pid, 'statm').split(' ')
  return (Number(pages) * PAGE) / MEBIBYTE
}
