import { setTimeout as delay } from 'node:timers/promises'

/** A span as Jaeger's query API tells it. */
export interface JaegerSpan {
  readonly traceID: string
  readonly spanID: string
  readonly operationName: string
  readonly references: readonly { readonly refType: string; readonly spanID: string }[]
  readonly tags: readonly JaegerTag[]
  readonly processID: string
}

export interface JaegerTag {
  readonly key: string
  readonly value: string | number | boolean
}

export interface JaegerTrace {
  readonly traceID: string
  readonly spans: readonly JaegerSpan[]
  readonly processes: Readonly<Record<string, { readonly serviceName: string; readonly tags: readonly JaegerTag[] }>>
}

const TIMEOUT_MILLISECONDS = 20_000

/** Waits until Jaeger has `count` whole traces with a span of that name. */
export async function fetchTraces(
  url: string,
  service: string,
  operation: string,
  count: number
): Promise<readonly JaegerTrace[]> {
  const deadline = Date.now() + TIMEOUT_MILLISECONDS
  const parameters = new URLSearchParams({ service, operation, limit: '1000' })
  for (;;) {
    const response = await fetch(`${url}/api/traces?${parameters.toString()}`)
    const traces = ((await response.json()) as { data: JaegerTrace[] | null }).data ?? []
    if (traces.length >= count && traces.every(isWhole)) return traces
    if (Date.now() > deadline) {
      throw new Error(`Jaeger has ${traces.length} traces with ${operation}, some perhaps in part: expected ${count}`)
    }
    await delay(100)
  }
}

/** Spans of a trace may arrive in different batches; whole it is when no span names a parent that is not there. */
function isWhole({ spans }: JaegerTrace): boolean {
  const ids = new Set(spans.map(({ spanID }) => spanID))
  return spans.some(span => parentOf(span) === undefined) && spans.every(span => ids.has(parentOf(span) ?? span.spanID))
}

export function parentOf({ references }: JaegerSpan): string | undefined {
  return references.find(({ refType }) => refType === 'CHILD_OF')?.spanID
}

export function tagOf(tags: readonly JaegerTag[], key: string): JaegerTag['value'] | undefined {
  return tags.find(tag => tag.key === key)?.value
}

/** The names of a span and of all that it hangs on, from the span up to the root. */
export function lineOf(span: JaegerSpan, trace: JaegerTrace): string[] {
  const parent = trace.spans.find(({ spanID }) => spanID === parentOf(span))
  return [span.operationName, ...(parent === undefined ? [] : lineOf(parent, trace))]
}
