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
