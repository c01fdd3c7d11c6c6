import { TraceFlags } from '@opentelemetry/api'
import { ExportResultCode, type ExportResult } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace'

/** What became of the spans that ended, since the start: `ended` is the sum of the others, at any time. */
export interface ExportReport {
  readonly ended: number
  /** Taken by the exporter's other end. */
  readonly exported: number
  /** Given up, because too many were waiting or the process was about to end. */
  readonly dropped: number
  /** Given up after an attempt to send them. */
  readonly failed: number
  readonly notSampled: number
  /** Not yet sent, or on their way. */
  readonly waiting: number
}

/** Keeps the books of one or more exporters; each counts a span for itself. */
export class ExportAccount {
  exported = 0
  dropped = 0
  failed = 0
  notSampled = 0
  waiting = 0

  get report(): ExportReport {
    const { exported, dropped, failed, notSampled, waiting } = this
    return { ended: exported + dropped + failed + notSampled + waiting, exported, dropped, failed, notSampled, waiting }
  }
}

/** A span processor of the SDK that exports, with every span that it is given accounted for. */
export class AccountedProcessor implements SpanProcessor {
  readonly #processor: SpanProcessor
  readonly #account: ExportAccount
  /** How many it holds until they are handed to the exporter. */
  readonly #room: number
  readonly #exporter: AccountedExporter
  #isShutDown = false

  /** `room` must not be above what the processor itself can hold: what that gives up nobody is told. */
  constructor(
    account: ExportAccount,
    exporter: SpanExporter,
    room: number,
    make: (exporter: SpanExporter) => SpanProcessor
  ) {
    this.#account = account
    this.#room = room
    this.#exporter = new AccountedExporter(account, exporter)
    this.#processor = make(this.#exporter)
  }

  onStart(): void {
    // Exporters have no interest in it.
  }

  onEnd(span: ReadableSpan): void {
    const account = this.#account
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) {
      account.notSampled += 1
    } else if (this.#isShutDown || this.#exporter.queued >= this.#room) {
      account.dropped += 1
    } else {
      account.waiting += 1
      this.#exporter.queued += 1
      this.#processor.onEnd(span)
    }
  }

  /** Exports a span that was counted as not sampled when it ended. */
  reconsider(span: ReadableSpan): void {
    this.#account.notSampled -= 1
    this.onEnd(span)
  }

  forceFlush(): Promise<void> {
    return this.#processor.forceFlush()
  }

  shutdown(): Promise<void> {
    this.#isShutDown = true
    return this.#processor.shutdown()
  }
}

/** Counts what is handed to an exporter, and what became of it. */
class AccountedExporter implements SpanExporter {
  /** Spans that were not handed to the exporter yet. */
  queued = 0
  readonly #account: ExportAccount
  readonly #exporter: SpanExporter

  constructor(account: ExportAccount, exporter: SpanExporter) {
    this.#account = account
    this.#exporter = exporter
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.queued -= spans.length
    let isSettled = false
    const settle = (result: ExportResult): void => {
      if (isSettled) return
      isSettled = true
      this.#account.waiting -= spans.length
      if (result.code === ExportResultCode.SUCCESS) this.#account.exported += spans.length
      else this.#account.failed += spans.length
      done(result)
    }
    try {
      this.#exporter.export(spans, settle)
    } catch (error) {
      settle({ code: ExportResultCode.FAILED, error: error instanceof Error ? error : new Error(String(error)) })
    }
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve()
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }
}
