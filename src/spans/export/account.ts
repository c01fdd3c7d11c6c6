import { diag } from '@opentelemetry/api'
import { ExportResultCode, type ExportResult } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace'
import { isSampled } from '../sample.js'

/** What became of the spans that ended, since the start. At any time the others add up to `ended`. */
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
  /** Counted by itself, so that a span that got lost would show. */
  ended = 0
  exported = 0
  dropped = 0
  failed = 0
  notSampled = 0
  waiting = 0

  get report(): ExportReport {
    const { ended, exported, dropped, failed, notSampled, waiting } = this
    return { ended, exported, dropped, failed, notSampled, waiting }
  }
}

/** How many spans may wait, of which exporter. */
export interface Room {
  /** Not yet handed to the exporter. Not above what the processor holds: what that gives up nobody is told. */
  readonly queued: number
  /**
   * Those and the ones on their way. After failures the SDK's processor sends more and more batches at once, up to thirty
   * of them, beside what it holds.
   */
  readonly waiting: number
}

/** A span processor of the SDK that exports, with every span that it is given accounted for. */
export class AccountedProcessor implements SpanProcessor {
  readonly #processor: SpanProcessor
  readonly #account: ExportAccount
  readonly #room: Room
  readonly #exporter: AccountedExporter
  #isShutDown = false
  #isDropping = false

  constructor(
    account: ExportAccount,
    exporter: SpanExporter,
    room: Room,
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
    this.#account.ended += 1
    this.#take(span)
  }

  /** How many spans it would take now. */
  get room(): number {
    if (this.#isShutDown) return 0
    const { queued, waiting } = this.#exporter
    return Math.min(this.#room.queued - queued, this.#room.waiting - waiting)
  }

  /** Exports a span that was counted as not sampled when it ended. */
  reconsider(span: ReadableSpan): void {
    this.#account.notSampled -= 1
    this.#take(span)
  }

  #take(span: ReadableSpan): void {
    const account = this.#account
    if (!isSampled(span)) {
      account.notSampled += 1
    } else if (this.room <= 0) {
      account.dropped += 1
      this.#complain()
    } else {
      this.#isDropping = false
      account.waiting += 1
      this.#exporter.queued += 1
      this.#exporter.waiting += 1
      this.#processor.onEnd(span)
    }
  }

  /** Once until there is room again. */
  #complain(): void {
    if (this.#isDropping || this.#isShutDown) return
    this.#isDropping = true
    diag.warn(`spans are dropped, since ${this.#exporter.waiting} wait already to be exported`)
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
  /** Those, and the ones whose fate is open. */
  waiting = 0
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
      this.waiting -= spans.length
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
