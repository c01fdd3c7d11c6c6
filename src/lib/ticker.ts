/** A repeating background job that never holds the process open. */
export interface Ticker {
  stop(): void
}

/**
 * Calls `work` every `milliseconds`. `work` must not throw: the ticker belongs to the monitor, whose faults stay inside.
 */
export function startTicker(milliseconds: number, work: () => void): Ticker {
  const timer = setInterval(work, milliseconds)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
    }
  }
}
