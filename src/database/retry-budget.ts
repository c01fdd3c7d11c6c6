/** What a request adds, what a retry takes, and what may be saved up. */
const DEPOSIT = 0.1
const MOST = 10

/**
 * Keeps retries to a tenth of the requests: more of them would make an outage longer. It starts full, so that a service
 * with little to do may retry at all, and banks ten retries at most. One a process, whatever the number of its pools.
 */
export class RetryBudget {
  #tokens = MOST

  deposit(): void {
    if (this.#tokens < MOST) this.#tokens = Math.min(MOST, this.#tokens + DEPOSIT)
  }

  /** Takes what one retry costs; false, and nothing taken, where there is not enough. */
  take(): boolean {
    // Ten deposits of a tenth add up to a little less than one.
    if (this.#tokens < 1 - 1e-9) return false
    this.#tokens -= 1
    return true
  }
}
