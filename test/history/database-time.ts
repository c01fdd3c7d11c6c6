import type pg from 'pg'
import type { Clock } from '../../src/lib/clock.js'
import { systemClock } from '../../src/lib/clock.js'

/** The time that a database tells those who connect from now on. */
export interface DatabaseTime {
  /** Milliseconds since 1970, from which on it runs `speed` times as fast as time does. */
  readonly origin: number
  readonly speed: number
  /** Sets its clock: it tells `seconds` more, or less, than it would. */
  step(seconds: number): Promise<void>
}

/**
 * Puts a clock of the test's own before that of the server, so that an hour need not take one and its clock may step:
 * what lies earlier on the search path is found first.
 */
export async function fakeTime(pool: pg.Pool, speed: number): Promise<DatabaseTime> {
  const origin = Date.now()
  await pool.query(`
    CREATE SCHEMA faked;
    CREATE TABLE faked.time (origin timestamptz, speed float8, step interval);
    INSERT INTO faked.time VALUES (to_timestamp(${origin / 1000}), ${speed}, '0');
    CREATE FUNCTION faked.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
      'SELECT origin + speed * (pg_catalog.clock_timestamp() - origin) + step FROM faked.time';
    DO 'BEGIN EXECUTE format(''ALTER DATABASE %I SET search_path = faked, public, pg_catalog'', current_database()); END';
  `)
  return {
    origin,
    speed,
    step: async seconds => {
      await pool.query('UPDATE faked.time SET step = make_interval(secs => $1)', [seconds])
    }
  }
}

/** The clock of a machine that agrees with such a database. */
export function clockLike({ origin, speed }: DatabaseTime): Clock {
  return {
    monotonic: () => speed * systemClock.monotonic(),
    wall: () => origin + speed * (systemClock.wall() - origin)
  }
}
