import type { DetailName } from '../store/self-snapshot.js'

/** A level of detail; what it means is told in `spans/self-measurement.ts`. */
export interface DetailLevel {
  readonly name: DetailName
  readonly context: boolean
  readonly sampleEvery: number
}

const FULL: DetailLevel = { name: 'FULL', context: true, sampleEvery: 1 }
const WITHOUT_CONTEXT: DetailLevel = { name: 'WITHOUT_CONTEXT', context: false, sampleEvery: 1 }

/** From the richest to the cheapest. */
const levels = [
  FULL,
  WITHOUT_CONTEXT,
  ...[2, 4, 8, 16, 32, 64].map((sampleEvery): DetailLevel => ({ name: 'SAMPLED', context: false, sampleEvery }))
]

export const CHEAPEST = levels.length - 1

export function detailAt(level: number): DetailLevel {
  return levels[level] ?? FULL
}
