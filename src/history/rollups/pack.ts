import { setImmediate as otherWork } from 'node:timers/promises'
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import { KINDS, type Kind } from '../../store/totals.js'
import { ByteReader, ByteWriter } from './bytes.js'
import { readRollup, writeRollup, type Content } from './rollup-codec.js'

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)
/** Of what is written; another one is another layout of the bytes. */
const FORMAT = 1
/** A minute of 14,000 series with all their buckets filled is less. */
const LONGEST = 256 * 1024 * 1024

/** After so many series requests come first. */
const SERIES_AT_A_TIME = 100

/** A rollup with the id of its series. */
export interface Entry extends Content {
  readonly id: number
  readonly kind: Kind
}

/**
 * What one instance measured in one minute, all series in one compressed text: a row for each would be mostly headers.
 * `level` is zlib's, from 1, which is quick, to 9; beyond 4 it takes several times as long for little less.
 */
export async function pack(entries: Iterable<Entry>, level = 4): Promise<Buffer> {
  const all = new ByteWriter(64 * 1024)
  const one = new ByteWriter()
  all.number(FORMAT)
  let packed = 0
  for (const entry of entries) {
    packed += 1
    if (packed % SERIES_AT_A_TIME === 0) await otherWork()
    one.clear()
    writeRollup(one, entry)
    all.number(KINDS.indexOf(entry.kind))
    all.id(entry.id)
    all.number(one.written.length)
    all.append(one.written)
  }
  return deflate(all.written, { level })
}

/**
 * Reads again what was packed, or of that only the series that `isWanted`.
 *
 * @throws RangeError where it is none, or of a later format
 */
export async function unpack(
  packed: Buffer,
  isWanted: (id: number, kind: Kind) => boolean = () => true
): Promise<Entry[]> {
  const bytes = new ByteReader(await inflate(packed, { maxOutputLength: LONGEST }))
  const format = bytes.number()
  if (format !== FORMAT) throw new RangeError(`rollups of format ${format}: expected ${FORMAT}`)
  const entries: Entry[] = []
  while (!bytes.isAtEnd) {
    const kind = KINDS[bytes.number()]
    const id = bytes.id()
    const end = bytes.number() + bytes.position
    if (kind !== undefined && isWanted(id, kind)) entries.push({ id, kind, ...readRollup(bytes, kind) })
    bytes.position = end
  }
  return entries
}

/** One rollup by itself, not compressed. */
export function encodeRollup(content: Content): Buffer {
  const bytes = new ByteWriter(512)
  writeRollup(bytes, content)
  return Buffer.from(bytes.written)
}

/** @throws RangeError where it is none */
export function decodeRollup<Of extends Kind>(encoded: Buffer, kind: Of): Content<Of> {
  return readRollup(new ByteReader(encoded), kind)
}
