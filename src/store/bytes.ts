/**
 * What V8 takes for the parts of the store, in bytes of heap and of buffers beside it: measured on Node 20 and 24 (64
 * bit), where they agree within a few percent. `test/store/bytes.test.ts` holds the sum of them against the real heap.
 */
export const BYTES = {
  /** A sketch without buckets, and what the first bucket adds besides the counts themselves. */
  sketch: 120,
  buckets: 168,
  /** A slot besides its sketch. */
  slot: 160,
  /** What a series adds up besides its times, without what has a size of its own. */
  sums: 40,
  /** A caller of a statement in one slot. */
  tally: 72,
  /** A series besides its sketches, its slots and its recent calls; with its place in the map of its dimension. */
  series: 290,
  /** What a series holds of what expired, besides the sketch. */
  expired: 56,
  /** An element of an array. */
  element: 8,
  /** A list of recent calls besides their numbers and their traces. */
  recent: 340,
  /** What a text takes besides its characters. */
  text: 20,
  /** A trace id: a text of its own, or what makes one when asked. */
  traceId: 48
} as const
