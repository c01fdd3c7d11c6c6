import { newSums, type LastCall, type SeriesRollup } from '../../store/roll-up.js'
import { endOfFilled, firstFilled, Sketch } from '../../store/sketch.js'
import { StatementSums } from '../../store/statement-sums.js'
import { CountSums, ResolverSums } from '../../store/sums.js'
import type { Kind, KindSums } from '../../store/totals.js'
import type { ByteReader, ByteWriter } from './bytes.js'

/** A series' totals, without what names the series. */
export type Content<Of extends Kind = Kind> = Pick<SeriesRollup<Of>, 'rollup' | 'last'>

/**
 * Writes a rollup: whole nanoseconds, the buckets of the sketch as runs. Everything is kept, so what is read again
 * merges as the original would have.
 */
export function writeRollup(bytes: ByteWriter, { rollup, last }: Content): void {
  const { times, errors, untimed, sums } = rollup
  writeSketch(bytes, times)
  bytes.number(errors)
  bytes.signed(untimed)
  bytes.number(last === null ? 0 : Math.max(0, Math.round(last.at)))
  if (last !== null) bytes.number(last.duration)
  if (sums instanceof ResolverSums) writeResolver(bytes, sums)
  else if (sums instanceof CountSums) writeSketch(bytes, sums.counts)
  else if (sums instanceof StatementSums) writeStatement(bytes, sums)
}

/** @throws RangeError where the bytes end too soon */
export function readRollup<Of extends Kind>(bytes: ByteReader, kind: Of): Content<Of> {
  const times = readSketch(bytes)
  const errors = bytes.number()
  const untimed = bytes.signed()
  const at = bytes.number()
  const last: LastCall | null = at === 0 ? null : { at, duration: bytes.number() }
  const sums: KindSums[Kind] = newSums(kind)
  if (sums instanceof ResolverSums) readResolver(bytes, sums)
  else if (sums instanceof CountSums) sums.counts.merge(readSketch(bytes))
  else if (sums instanceof StatementSums) readStatement(bytes, sums)
  return { rollup: { times, errors, untimed, sums: sums as KindSums[Of] }, last }
}

/** Buckets leave as numbers: an odd one is a count, an even one says how many empty buckets follow. */
function writeSketch(bytes: ByteWriter, { count, sum, min, max, zeroCount, first, counts }: Sketch): void {
  bytes.number(count)
  if (count === 0) return
  bytes.number(sum)
  bytes.number(min)
  bytes.number(max - min)
  bytes.number(zeroCount)
  const from = firstFilled(counts)
  const end = endOfFilled(counts)
  bytes.signed(from < end ? first + from : first)
  let empty = 0
  for (let index = from; index < end; index += 1) {
    const found = counts[index] ?? 0
    if (found === 0) {
      empty += 1
      continue
    }
    if (empty > 0) bytes.number(2 * empty)
    empty = 0
    bytes.number(2 * found - 1)
  }
}

function readSketch(bytes: ByteReader): Sketch {
  const sketch = new Sketch()
  sketch.count = bytes.number()
  if (sketch.count === 0) return sketch
  sketch.sum = bytes.number()
  sketch.min = bytes.number()
  sketch.max = sketch.min + bytes.number()
  sketch.zeroCount = bytes.number()
  sketch.first = bytes.signed()
  const counts: number[] = []
  let highest = 0
  for (let left = sketch.count - sketch.zeroCount; left > 0;) {
    const token = bytes.number()
    if (token % 2 === 0) {
      for (let empty = token / 2; empty > 0; empty -= 1) counts.push(0)
      continue
    }
    const found = (token + 1) / 2
    counts.push(found)
    highest = Math.max(highest, found)
    left -= found
  }
  sketch.counts =
    highest <= 0xff
      ? Uint8Array.from(counts)
      : highest <= 0xffff_ffff
        ? Uint32Array.from(counts)
        : Float64Array.from(counts)
  return sketch
}

function writeResolver(bytes: ByteWriter, { statements, sqlTime, selfTime }: ResolverSums): void {
  bytes.number(statements)
  bytes.number(Math.max(0, Math.round(sqlTime)))
  bytes.signed(Math.round(selfTime))
}

function readResolver(bytes: ByteReader, sums: ResolverSums): void {
  sums.statements = bytes.number()
  sums.sqlTime = bytes.number()
  sums.selfTime = bytes.signed()
}

function writeStatement(bytes: ByteWriter, sums: StatementSums): void {
  bytes.number(sums.rowsKnown)
  const tallies = [...sums.tallies()]
  bytes.number(tallies.length)
  for (const { caller, count, errors, time, rows } of tallies) {
    bytes.text(caller.resolver)
    bytes.text(caller.operation)
    for (const value of [count, errors, time, rows]) bytes.number(value)
  }
}

function readStatement(bytes: ByteReader, sums: StatementSums): void {
  sums.rowsKnown = bytes.number()
  for (let left = bytes.number(); left > 0; left -= 1) {
    const caller = { resolver: bytes.text(), operation: bytes.text() }
    sums.restore({
      ...caller,
      count: bytes.number(),
      errors: bytes.number(),
      time: bytes.number(),
      rows: bytes.number()
    })
  }
}
