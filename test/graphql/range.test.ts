import { test } from 'tap'
import { checkedRange, type RangeArguments } from '../../src/graphql/range.js'

const HOUR = 3600
const DAY = 24 * HOUR
const tiers = [
  { width: 60, retention: DAY },
  { width: HOUR, retention: 30 * DAY },
  { width: DAY, retention: 400 * DAY }
]
const NOW = Date.parse('2026-11-25T12:00:00Z')
const check = (args: RangeArguments): { from: string; to: string; step: number } => {
  const { from, to, step } = checkedRange(args, tiers, NOW, HOUR)
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), step: step / 1000 }
}

test('a range is given by times, by lengths before now, or not at all', t => {
  t.strictSame(check({}), { from: '2026-11-25T11:00:00.000Z', to: '2026-11-25T12:00:00.000Z', step: 60 })
  t.strictSame(check({ from: '-24h' }), {
    from: '2026-11-24T12:00:00.000Z',
    to: '2026-11-25T12:00:00.000Z',
    step: 1440
  })
  t.strictSame(check({ from: '-2d', to: '-1d', step: '6h' }), {
    from: '2026-11-23T12:00:00.000Z',
    to: '2026-11-24T12:00:00.000Z',
    step: 21_600
  })
  t.match(check({ from: '2026-11-25T09:30:00+01:00', to: 'now' }), { from: '2026-11-25T08:30:00.000Z' })
  t.match(check({ from: '2026-11-25T09:30' }), { from: '2026-11-25T09:30:00.000Z' }, 'without a zone it is UTC')
  const forms = ['2026-11-25 09:30Z', '2026-11-25t09:30:00.000z', '2026-11-25 10:30+01', '2026-11-25T08:00:00-0130']
  for (const from of forms) {
    t.match(check({ from }), { from: '2026-11-25T09:30:00.000Z' }, from)
  }
  t.match(check({ from: '2026-11-20' }), { from: '2026-11-20T00:00:00.000Z', step: 10_800 })
  t.match(check({ from: '-1h', to: '2030-01-01T00:00:00Z' }), { to: '2026-11-25T12:00:00.000Z' }, 'not past now')
  t.end()
})

test('a time without a zone is UTC wherever the process runs', t => {
  const { TZ } = process.env
  t.teardown(() => {
    if (TZ === undefined) delete process.env.TZ
    else process.env.TZ = TZ
  })
  process.env.TZ = 'Asia/Tokyo'
  t.equal(new Date(NOW).getHours(), 21, 'the process runs there')
  for (const from of ['2026-11-25T09:30', '2026-11-25 09:30', '2026-11-25 09:30:00']) {
    t.match(check({ from }), { from: '2026-11-25T09:30:00.000Z' }, from)
  }
  t.end()
})

const refused: readonly (readonly [args: RangeArguments, message: string])[] = [
  [
    { from: 'yesterday' },
    'from is "yesterday": expected an ISO 8601 time such as 2026-11-25T12:00:00Z, a time before now such as -24h or -30m, or now'
  ],
  [{ to: '12' }, 'to is "12": expected an ISO 8601 time'],
  [{ from: '2026-13-01' }, 'from is "2026-13-01": expected an ISO 8601 time'],
  [{ from: '2026-11-25 9:30 AM' }, 'from is "2026-11-25 9:30 AM": expected an ISO 8601 time'],
  [{ from: '2026-11-25 09:30 GMT+1' }, 'from is "2026-11-25 09:30 GMT+1": expected an ISO 8601 time'],
  [{ from: '2026-11-25T09:30 (noon)' }, 'from is "2026-11-25T09:30 (noon)": expected an ISO 8601 time'],
  [{ from: '-1h', to: '-1h' }, 'the range is empty, from and to are both 2026-11-25T11:00:00.000Z'],
  [
    { from: '-1h', to: '-2h' },
    'from is 2026-11-25T11:00:00.000Z and to is 2026-11-25T10:00:00.000Z: expected from before to'
  ],
  [{ from: '2026-12-01' }, 'from is "2026-12-01": expected a time that is over, it is 2026-11-25T12:00:00.000Z'],
  [{ from: '-401d' }, 'from is "-401d": expected at most 400d ago, nothing is kept for longer'],
  [{ from: '-99999999999999d' }, 'from is "-99999999999999d": expected at most 400d ago'],
  [{ to: '-200000000d' }, 'to is "-200000000d": expected at most 400d ago'],
  [{ step: 'often' }, 'step is "often": expected a length of time such as 60, 5m, 1h or 1d'],
  [{ step: '0' }, 'step is "0": expected a length of time'],
  [{ step: '10' }, 'step is "10": expected a multiple of 1m, the finest that is kept of 2026-11-25T11:00:00.000Z'],
  [{ from: '-2d', step: '5m' }, 'step is "5m": expected a multiple of 1h'],
  [{ from: '-31d', step: '1h' }, 'step is "1h": expected a multiple of 1d'],
  [{ from: '-26d', to: '-1d', step: '1m' }, 'step is "1m": expected a multiple of 1h'],
  [{ from: '-1d', to: 'now', step: '1m' }, '']
]

test('what cannot be answered is refused with the bound that was passed', t => {
  for (const [args, message] of refused) {
    if (message === '') {
      t.match(check(args), { step: 60 }, '1,440 steps are allowed')
      continue
    }
    t.throws(() => check(args), { code: 'MPERF_ARGUMENT_INVALID', message: new RegExp(escaped(message)) }, message)
  }
  const fine = [{ width: 60, retention: 400 * DAY }]
  t.throws(
    () => checkedRange({ from: '-30d', step: '1m' }, fine, NOW, HOUR),
    { message: 'step is "1m": expected at least 29m, for no more than 1500 steps' },
    'too fine'
  )
  t.end()
})

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
