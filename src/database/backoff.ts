import { setTimeout as delay } from 'node:timers/promises'

/** The bounds that the random wait before a further attempt grows between, in milliseconds. */
export interface BackoffLimits {
  /** The longest wait before the first further attempt; it doubles with each. */
  readonly first: number
  readonly most: number
}

/** Outside of requests nobody waits, so it may take its time. */
export const BACKGROUND: BackoffLimits = { first: 250, most: 30_000 }

/**
 * Milliseconds to wait before attempt `attempt + 1`, the first being 0: anything from 0 to `first * 2^attempt`, at most
 * `most`. Full jitter, so that what failed together does not come back together:
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param random a number from 0 to 1, 1 excluded
 */
export function backoffDelay(
  attempt: number,
  { first, most }: BackoffLimits,
  random: () => number = Math.random
): number {
  return random() * Math.min(most, first * 2 ** attempt)
}

export interface RetryInBackgroundOptions {
  /** Ends the waiting and the trying. */
  readonly signal: AbortSignal
  readonly limits?: BackoffLimits
  /** Called with what each attempt failed with, before the wait. */
  readonly failed?: (error: unknown) => void
}

/**
 * Calls `work` until it succeeds, for work that nobody waits for and that may be done twice. Its timers do not hold the
 * process.
 *
 * @throws the signal's reason once it is aborted
 */
export async function retryInBackground<Result>(
  work: () => Promise<Result>,
  { signal, limits = BACKGROUND, failed }: RetryInBackgroundOptions
): Promise<Result> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      failed?.(error)
    }
    await delay(backoffDelay(attempt, limits), undefined, { signal, ref: false }).catch(() => {
      signal.throwIfAborted()
    })
  }
}
