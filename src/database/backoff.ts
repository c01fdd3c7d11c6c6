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
