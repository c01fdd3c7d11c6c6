import { diag } from '@opentelemetry/api'
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace'
import { isSampled } from '../sample.js'
import type { ExportAccount } from './account.js'
import { AccountedExporter } from './accounted-exporter.js'

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
    try {
      diag.warn(`spans are dropped, since ${this.#exporter.waiting} wait already to be exported`)
    } catch {
      // A diagnostic logger of the application that throws would throw out of the end of a span, into a query of its own.
    }
  }

  /**
   * Waits for what is on its way too, and however a batch fares for the others: the SDK's processor knows only of what it
   * hands over now, and only until one of these batches fails.
   */
  async forceFlush(): Promise<void> {
    const flushed = this.#processor.forceFlush()
    await Promise.allSettled([flushed, this.#exporter.settled()])
    return flushed
  }

  shutdown(): Promise<void> {
    this.#isShutDown = true
    return this.#processor.shutdown()
  }
}
