import { ExportResultCode, type ExportResult } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { ExportAccount } from './account.js'

/** Somebody who waits for the first `upTo` spans. */
interface Flush {
  readonly upTo: number
  readonly ended: () => void
}

/** Counts what is handed to an exporter, and what became of it. */
export class AccountedExporter implements SpanExporter {
  /** Spans that were not handed to the exporter yet. */
  queued = 0
  /** Those, and the ones whose fate is open. */
  waiting = 0
  readonly #account: ExportAccount
  readonly #exporter: SpanExporter
  /** Spans that were handed to the exporter since the start. */
  #handedOver = 0
  /** How many were handed over before each batch that is on its way, oldest first. */
  readonly #onTheirWay = new Set<number>()
  #flushes: Flush[] = []

  constructor(account: ExportAccount, exporter: SpanExporter) {
    this.#account = account
    this.#exporter = exporter
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const before = this.#handedOver
    this.#handedOver += spans.length
    this.#onTheirWay.add(before)
    this.queued -= spans.length
    let isSettled = false
    const settle = (result: ExportResult): void => {
      if (isSettled) return
      isSettled = true
      this.waiting -= spans.length
      this.#account.waiting -= spans.length
      if (result.code === ExportResultCode.SUCCESS) this.#account.exported += spans.length
      else this.#account.failed += spans.length
      this.#onTheirWay.delete(before)
      this.#endFlushes()
      done(result)
    }
    try {
      this.#exporter.export(spans, settle)
    } catch (error) {
      settle({ code: ExportResultCode.FAILED, error: error instanceof Error ? error : new Error(String(error)) })
    }
  }

  /** Until what became of all spans that wait now is known, and not of those that come later. */
  settled(): Promise<void> {
    return new Promise(ended => {
      this.#flushes.push({ upTo: this.#handedOver + this.queued, ended })
      this.#endFlushes()
    })
  }

  #endFlushes(): void {
    const [settled = this.#handedOver] = this.#onTheirWay
    const ended = this.#flushes.filter(({ upTo }) => upTo <= settled)
    this.#flushes = this.#flushes.filter(({ upTo }) => upTo > settled)
    for (const flush of ended) flush.ended()
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve()
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }
}
