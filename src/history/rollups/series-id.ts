import { createHash } from 'node:crypto'
import { identityKey, type SeriesIdentity } from '../../store/identity.js'

/**
 * The id of a series of a service: 53 bits of a hash, so that instances need not agree on numbers with each other. Two of
 * 100,000 series share one with a chance of one in a million.
 */
export function seriesId(service: string, identity: SeriesIdentity): number {
  const digest = createHash('sha256')
    .update(`${service}\0${identityKey(identity)}`)
    .digest()
  return digest.readUIntLE(0, 4) + (digest.readUIntLE(4, 3) % 2 ** 21) * 2 ** 32
}
