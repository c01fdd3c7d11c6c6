import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { diag } from '@opentelemetry/api'
import { AggregationTemporality, MetricReader, type MetricProducer } from '@opentelemetry/sdk-metrics'
import { isForScrapes } from '../spans/scrapes.js'
import { CONTENT_TYPE, prometheusText } from './prometheus-text.js'

export interface PrometheusOptions {
  readonly host: string
  readonly port: number
  readonly producer: MetricProducer
}

/**
 * Answers `GET /metrics` on a port of its own, without a login. It listens from when the SDK starts until that shuts
 * down, and holds the process open neither by itself nor by its connections, as the SDK's own exporter would.
 */
export class PrometheusReader extends MetricReader {
  readonly #host: string
  readonly #port: number
  readonly #server = createServer((request, response) => {
    void this.#answer(request, response)
  })

  #running: Promise<string> | undefined

  constructor({ host, port, producer }: PrometheusOptions) {
    super({
      aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE,
      metricProducers: [producer]
    })
    this.#host = host
    this.#port = port
  }

  protected override onInitialized(): void {
    this.#server.on('connection', socket => {
      socket.unref()
      isForScrapes(socket)
    })
    this.#server.on('error', error => {
      diag.warn(`no Prometheus metrics on ${this.#host}, port ${this.#port}: ${error.message}`)
    })
    this.#server.listen({ host: this.#host, port: this.#port }).unref()
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve()
  }

  protected override async onShutdown(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #answer({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (url?.split('?')[0] !== '/metrics') response.writeHead(404).end()
      else if (method !== 'GET' && method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end()
      else {
        const text = await this.#text()
        response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(text)
      }
    } catch (error) {
      diag.warn(`Prometheus metrics could not be collected: ${error instanceof Error ? error.message : String(error)}`)
      response.writeHead(500).end()
    }
  }

  /**
   * Those who ask while an answer is being written get the same: whoever can reach the port can ask as often as it
   * likes.
   */
  #text(): Promise<string> {
    this.#running ??= this.#write().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #write(): Promise<string> {
    const { resourceMetrics } = await this.collect()
    await resourceMetrics.resource.waitForAsyncAttributes?.()
    return prometheusText(resourceMetrics, true)
  }
}
