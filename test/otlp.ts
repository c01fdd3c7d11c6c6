import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'

interface Value {
  readonly stringValue?: string
  readonly intValue?: number
}

export interface ReceivedSpan {
  readonly traceId: string
  readonly name: string
  readonly kind: number
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code?: number; readonly message?: string }
  readonly attributes: readonly { readonly key: string; readonly value: Value }[]
}

export interface Received {
  readonly endpoint: string
  readonly spans: ReceivedSpan[]
  /** Every request's body, one after the other. */
  body: string
  /** How requests are answered. */
  status: number
  /** Where it is not how all of them are: by how many came before it. */
  answer: ((before: number) => Answer) | undefined
}

export interface Answer {
  readonly status: number
  /** Milliseconds that it takes. */
  readonly delay: number
}

interface Export {
  readonly resourceSpans?: readonly { readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[] }[]
}

/** A receiver of OTLP over HTTP with JSON, as a collector is one, until the test ends. */
export async function startReceiver(t: Test): Promise<Received> {
  const received: Received = { endpoint: '', spans: [], body: '', status: 200, answer: undefined }
  let requests = 0
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      received.body += body
      const answer = receiver.answer?.(requests) ?? { status: receiver.status, delay: 0 }
      requests += 1
      void delay(answer.delay, undefined, { ref: false }).then(() =>
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end('{}')
      )
      if (answer.status !== 200) return
      const { resourceSpans = [] } = JSON.parse(body) as Export
      received.spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const receiver = Object.assign(received, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  return receiver
}

/** What makes a process send its spans there. */
export function exportTo({ endpoint }: Pick<Received, 'endpoint'>): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }
}

export function attributesOf({ attributes }: ReceivedSpan): Record<string, string | number | undefined> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]))
}
